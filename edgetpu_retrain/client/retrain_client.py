# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""RetrainClient: the services, the action and the topics of a retrain node, as methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
import queue
import threading
import time
import traceback
from typing import Any

from edgetpu_retrain.client.connection import Connection, RetrainClientError
from edgetpu_retrain.client.training import Training
from edgetpu_retrain_interfaces.action import Train
from edgetpu_retrain_interfaces.msg import Result, Status
from edgetpu_retrain_interfaces.srv import (
    AddSample,
    AnswerQuestions,
    GetPictures,
    ListQuestions,
    ListSamples,
    LoadModel,
    RelabelSamples,
    RemoveSamples,
)
from rcl_interfaces.srv import SetParameters
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from std_srvs.srv import Trigger

PATIENCE_S = 30.0
_RESULTS = 10
# Number of ids in one request for pictures, the maximum that the node accepts.
_PICTURES = 256


class RetrainClient:
    """
    Sends requests to a retrain node, and receives its results.

    The client has a separate node and thread, so its methods may be called from any thread,
    including callbacks of your own node.  Callbacks of :meth:`on_result` and :meth:`on_status` run
    in the client's thread, so they must not call methods that wait for the node.

    Args:
        node: a node whose context and namespace are used; None = create a context.
        name: name of the retrain node; a relative name is in the namespace of ``node``.
        timeout_s: maximum time until a response, seconds.  For :meth:`add_samples`, it begins when
            the request's own ``timeout_s`` has passed; without one, it does not apply.

    Raises:
        RequestError: if ``name`` cannot be the name of a node.
    """

    def __init__(
        self,
        node: Node | None = None,
        name: str = 'edgetpu_retrain',
        timeout_s: float = PATIENCE_S,
    ) -> None:
        self._connection = Connection(node, name, timeout_s)
        self.name = self._connection.name
        self._latest: dict[type, Any] = {}
        self._arrived = threading.Condition()
        self._callbacks: dict[type, list[Callable[[Any], None]]] = {Result: [], Status: []}
        own = self._connection.node
        self._train = ActionClient(own, Train, f'{self.name}/train')
        latched = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
        own.create_subscription(Status, f'{self.name}/status', self._receive, latched)
        own.create_subscription(Result, f'{self.name}/result', self._receive, _RESULTS)
        self._connection.start()

    def __enter__(self) -> RetrainClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the client's thread, and destroy its node; pending requests fail."""
        self._connection.stop()
        self._train.destroy()
        self._connection.close()

    def wait_until_ready(self, timeout_s: float = PATIENCE_S) -> None:
        """
        Wait until the node is active and responds to this client.

        Args:
            timeout_s: timeout, seconds.

        Raises:
            RetrainClientError: if the node does not respond, or is not active in time.
        """
        deadline = time.monotonic() + timeout_s
        state = self._connection.lifecycle_state(timeout_s)
        while state != 'active':
            if time.monotonic() > deadline:
                problems = ' '.join(self.status.problems) if self.status is not None else ''
                raise RetrainClientError(
                    f'{self.name} is {state} after {timeout_s:.0f} s. {problems}'.rstrip()
                )
            time.sleep(0.1)
            state = self._connection.lifecycle_state()

    def lifecycle_state(self, timeout_s: float | None = None) -> str:
        """
        Request the node's lifecycle state, and return its name, such as 'active'.

        Args:
            timeout_s: maximum time until the node responds, seconds; None = the timeout of the
                client.

        Raises:
            RetrainClientError: if the node does not respond in time.
        """
        return self._connection.lifecycle_state(timeout_s)

    def add_samples(self, label: str, count: int = 1, **fields: Any) -> Any:
        """
        Store samples of a class, from the next frames of a camera or from a picture.

        Frames that are near copies of samples of the class are skipped.  If the camera does not
        move, fewer samples than ``count`` may be stored before the time limit.  The ``message`` of
        the response then has the number of skipped frames.

        Args:
            label: name of the class.
            count: number of samples.
            fields: other fields of ``AddSample.Request``: camera, timeout_s, image, roi,
                min_interval_s, min_novelty, recording.

        Returns:
            The ``AddSample.Response``, with numbers of ``added`` samples and ``skipped`` frames.

        Raises:
            RetrainClientError: if the node does not respond, or samples are missing for another
                reason, such as a camera without frames; the message has the reason.
        """
        future = self.add_samples_async(label, count, **fields)
        # The node responds when the request's time limit expires, unless it was restarted.
        limit = fields.get('timeout_s')
        timeout_s = limit + self._connection.timeout_s if limit else None
        return self._connection.wait(future, 'add_samples', timeout_s)

    def add_samples_async(self, label: str, count: int = 1, **fields: Any) -> Future[Any]:
        """Call ``~/add_samples`` as :meth:`add_samples` does; return a future of the response."""
        return self.call_async(AddSample, 'add_samples', label=label, count=count, **fields)

    def remove_samples(
        self, label: str = '', n: int = 0, *, ids: Sequence[int] = (), forever: bool = False
    ) -> Any:
        """
        Remove a class, the ``n`` newest samples of one or all classes, or single samples.

        See RemoveSamples.

        Args:
            label: name of the class; '' = all classes.
            n: number of newest samples; 0 = the whole class, which requires ``label``.
            ids: ids of single samples, without ``label`` and ``n``.
            forever: whether to erase the samples, so that :meth:`undo` cannot restore them.
                Without any other argument, all samples that were removed before and all dismissed
                questions are erased.
        """
        which = {'label': label, 'n': n, 'ids': list(ids)}
        return self.call(RemoveSamples, 'remove_samples', forever=forever, **which)

    def relabel_samples(self, new_label: str, label: str = '', ids: Sequence[int] = ()) -> Any:
        """Change the label of a class or of single samples; see RelabelSamples."""
        which = {'label': label, 'ids': list(ids)}
        return self.call(RelabelSamples, 'relabel_samples', new_label=new_label, **which)

    def undo(self) -> str:
        """Undo the last change of samples, and return the node's message."""
        return str(self.call(Trigger, 'undo').message)

    def redo(self) -> str:
        """Redo the last undone change of samples, and return the node's message."""
        return str(self.call(Trigger, 'redo').message)

    def list_samples(self) -> dict[str, int]:
        """Return the number of samples of each class."""
        response = self.call(ListSamples, 'list_samples')
        return dict(zip(response.labels, response.counts, strict=True))

    def newest_samples(self, limit: int, label: str = '', before: int = 0) -> list[Any]:
        """
        Return samples as ``Sample``, newest first.

        Args:
            limit: maximum number of samples.
            label: name of the class; '' = all classes.
            before: only samples with a smaller id, for the next page; 0 = from the newest.
        """
        which = {'label': label, 'limit': limit, 'before': before}
        return list(self.call(ListSamples, 'list_samples', **which).samples)

    def list_questions(self, limit: int = 1000) -> list[Any]:
        """Return at most ``limit`` frames that wait for a label, newest first, as ``Question``."""
        return list(self.call(ListQuestions, 'list_questions', limit=limit).questions)

    def answer_questions(self, ids: Sequence[int], label: str) -> Any:
        """Turn questions into samples of a class; '' dismisses them.  See AnswerQuestions."""
        return self.call(AnswerQuestions, 'answer_questions', ids=list(ids), label=label)

    def get_pictures(self, of: str, ids: Sequence[int]) -> dict[int, bytes]:
        """
        Return the stored pictures of samples or questions, as JPEG files by id.

        Args:
            of: 'samples' or 'questions'.
            ids: any number of ids; the pictures are requested in batches.  Ids without a picture
                are missing from the result.
        """
        pictures: dict[int, bytes] = {}
        left = list(ids)
        while left:
            asked = left[:_PICTURES]
            received = self.call(GetPictures, 'get_pictures', of=of, ids=asked).pictures
            pictures |= {each.id: bytes(each.jpeg) for each in received}
            # The size of a response is limited.  Request the ids after the last received picture
            # again.  A response without pictures means that none of the ids has one.
            done = asked.index(received[-1].id) + 1 if received else len(asked)
            left = left[done:]
        return pictures

    def load_model(self, version: int = 0) -> Any:
        """Swap in a version by its number (0 = the latest, -1 = the previous); see LoadModel."""
        return self.call(LoadModel, 'load_model', version=version)

    def set_parameter(self, name: str, value: Any) -> None:
        """
        Set a parameter of the node.

        Args:
            name: name of the parameter.
            value: the new value.

        Raises:
            RetrainClientError: if the node does not respond, or rejects the value; the message
                then has the node's reason.
        """
        parameter = Parameter(name, value=value).to_parameter_msg()
        response = self.call(SetParameters, 'set_parameters', parameters=[parameter])
        if not response.results[0].successful:
            raise RetrainClientError(response.results[0].reason, response)

    def call(self, service_type: Any, service: str, **fields: Any) -> Any:
        """
        Call any service of the node.

        Args:
            service_type: type of the service.
            service: name of the service, relative to the node.
            fields: fields of the request.

        Returns:
            The response.

        Raises:
            RetrainClientError: if the node does not respond, or ``success`` is false.
        """
        future = self.call_async(service_type, service, **fields)
        return self._connection.wait(future, service, self._connection.timeout_s)

    def call_async(self, service_type: Any, service: str, **fields: Any) -> Future[Any]:
        """Call any service as :meth:`call` does; return a future of the response."""
        return self._connection.call(service_type, service, service_type.Request(**fields))

    def train(self, **goal: Any) -> Training:
        """
        Start a training.

        Args:
            goal: fields of ``Train.Goal``; its definition has the defaults.

        Returns:
            The training, once the node has accepted the goal.

        Raises:
            RetrainClientError: if the node rejects the goal or does not respond.
        """
        self._connection.wait_until_discovered(self._train.server_is_ready, 'train')
        feedback: queue.SimpleQueue[Any] = queue.SimpleQueue()
        accepted = self._connection.send(
            lambda: self._train.send_goal_async(
                Train.Goal(**goal), lambda message: feedback.put(message.feedback)
            )
        )
        handle = self._connection.wait(accepted, 'train', self._connection.timeout_s)
        if not handle.accepted:
            raise RetrainClientError(f'{self.name} did not accept the training: see its log')
        return Training(self._connection, handle, feedback)

    @property
    def status(self) -> Any:
        """The latest ``Status``; None before the first one."""
        return self._latest.get(Status)

    @property
    def result(self) -> Any:
        """The latest ``Result``; None before the first one."""
        return self._latest.get(Result)

    def wait_for_result(self, timeout_s: float = PATIENCE_S) -> Any:
        """
        Wait for the next ``Result``, and return it.

        Args:
            timeout_s: timeout, seconds.

        Raises:
            RetrainClientError: if no result arrives in time, for example because there is no
                trained model yet.
        """
        with self._arrived:
            before = self.result
            if not self._arrived.wait_for(lambda: self.result is not before, timeout_s):
                raise RetrainClientError(
                    f'{self.name} published no result within {timeout_s:.0f} s: does it have a '
                    'model, and is its camera running?'
                )
            return self.result

    def on_result(self, callback: Callable[[Any], None]) -> None:
        """
        Call a function with each ``Result`` from now on.

        Args:
            callback: called in the client's thread, so it must not call methods of this client
                that wait for the node.  Its exceptions are logged.
        """
        self._callbacks[Result].append(callback)

    def on_status(self, callback: Callable[[Any], None]) -> None:
        """Call a function with each ``Status`` from now on, as :meth:`on_result` does."""
        self._callbacks[Status].append(callback)

    def _receive(self, message: Any) -> None:
        with self._arrived:
            self._latest[type(message)] = message
            self._arrived.notify_all()
        for callback in self._callbacks[type(message)]:
            self._call_back(callback, message)

    def _call_back(self, callback: Callable[[Any], None], message: Any) -> None:
        try:
            callback(message)
        except Exception:  # noqa: BLE001 - must not stop the thread, which also sends requests
            self._connection.node.get_logger().error(traceback.format_exc())
