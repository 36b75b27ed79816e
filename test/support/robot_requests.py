# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Sends requests to a retrain node with RetrainClient; one that fails has a response, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
import threading
from typing import Any

from edgetpu_retrain.client import RetrainClient, RetrainClientError
from edgetpu_retrain.client.training import Training
from edgetpu_retrain_interfaces.srv import (
    AnswerQuestions,
    GetPictures,
    ListQuestions,
    ListSamples,
)
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger
from support.lone_node import LoneNode
from support.waiting import Collected, PATIENCE_S, wait_for


def response_of(request: Callable[[], Any]) -> Any:
    """Call a method of the client, and return the response, also that of a rejected request."""
    try:
        return request()
    except RetrainClientError as error:
        if error.response is None:
            raise
        return error.response


def wait_for_response(future: Future[Any]) -> Any:
    """Wait for a response, also for that of a rejected request."""
    return response_of(lambda: wait_for(future))


class Goal:
    """
    An accepted goal of ~/train, whose feedback is collected.

    Args:
        training: the training of the client.
    """

    def __init__(self, training: Training) -> None:
        self._training = training
        self.feedback: Collected[Any] = Collected()
        self._collecting = threading.Thread(target=self._collect, daemon=True)
        self._collecting.start()

    @property
    def is_done(self) -> bool:
        """Whether the training has ended."""
        return self._training.is_done

    def wait(self, patience_s: float = PATIENCE_S) -> tuple[int, Any]:
        """Wait until the training has ended, and return status and result."""
        result = response_of(lambda: self._training.result(patience_s))
        self._collecting.join()
        return self._training.status, result

    def cancel(self) -> None:
        """Request cancellation."""
        self._training.cancel()

    def _collect(self) -> None:
        for feedback in self._training:
            self.feedback.append(feedback)


class RobotRequests(LoneNode):
    """
    A ROS node in this process with a client of a retrain node.

    Args:
        name: of this node.
        retrain_node: full name of the retrain node.
    """

    def __init__(self, name: str, retrain_node: str) -> None:
        super().__init__(name, enable_rosout=False)
        self.retrain_node = retrain_node
        self.robot = RetrainClient(self.node, retrain_node, PATIENCE_S)

    def close(self) -> None:
        """Close the client, stop spinning and destroy the node."""
        self.robot.close()
        super().close()

    def call(self, service_type: Any, service: str, **fields: Any) -> Any:
        """Call a service of the node and return the response."""
        return response_of(lambda: self.robot.call(service_type, service, **fields))

    def set_parameter(self, name: str, value: object) -> Any:
        """Set one parameter and return the result."""
        parameter = Parameter(name, value=value).to_parameter_msg()
        return self.call(SetParameters, 'set_parameters', parameters=[parameter]).results[0]

    def add_later(self, label: str, **fields: Any) -> Future[Any]:
        """Request samples and return the future of the response."""
        # The node's own time limit is for an idle machine, and a test's camera stands still.
        defaults = {'timeout_s': PATIENCE_S / 2, 'min_novelty': -1.0}
        return self.robot.add_samples_async(label, **{**defaults, **fields})

    def add(self, label: str, **fields: Any) -> Any:
        """Request samples and return the response."""
        return wait_for_response(self.add_later(label, **fields))

    def remove(self, label: str = '', n: int = 0, **options: Any) -> Any:
        """Remove samples and return the response."""
        return response_of(lambda: self.robot.remove_samples(label, n, **options))

    def list_questions(self, limit: int = 1000) -> Any:
        """Return the response of ~/list_questions."""
        return self.call(ListQuestions, 'list_questions', limit=limit)

    def answer(self, label: str, *ids: int) -> Any:
        """Label questions ('' = dismiss) and return the response."""
        return self.call(AnswerQuestions, 'answer_questions', ids=list(ids), label=label)

    def get_pictures(self, of: str, ids: Sequence[int]) -> Any:
        """Return the response of ~/get_pictures."""
        return self.call(GetPictures, 'get_pictures', of=of, ids=list(ids))

    def list_samples(self, **fields: Any) -> Any:
        """Return the response of ~/list_samples."""
        return self.call(ListSamples, 'list_samples', **fields)

    def relabel(self, new_label: str, **which: Any) -> Any:
        """Relabel samples and return the response."""
        return response_of(lambda: self.robot.relabel_samples(new_label, **which))

    def trigger(self, name: str) -> Any:
        """Return the response of ~/undo, ~/redo or ~/reembed_samples."""
        return self.call(Trigger, name)

    def load_model(self, version: int) -> Any:
        """Load a version and return the response."""
        return response_of(lambda: self.robot.load_model(version))

    def start_training(self, **fields: Any) -> Goal:
        """Send a goal and return it as soon as it is accepted."""
        return Goal(self.robot.train(**fields))

    def train(self, **fields: Any) -> tuple[int, Any]:
        """Send a goal, wait for its end, and return status and result."""
        return self.start_training(**fields).wait()

    def change_state(self, transition: str | int) -> bool:
        """Request a transition, by name or id, and return whether it succeeded."""
        is_id = isinstance(transition, int)
        wanted = Transition(id=transition) if is_id else Transition(label=transition)
        return bool(self.call(ChangeState, 'change_state', transition=wanted).success)

    @property
    def state(self) -> str:
        """State of the node's lifecycle."""
        return str(self.call(GetState, 'get_state').current_state.label)
