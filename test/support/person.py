# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Somebody who teaches, trains and listens to a retrain node, over DDS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import contextlib
from dataclasses import dataclass, field
from typing import Any

from edgetpu_retrain_interfaces.action import Train
from edgetpu_retrain_interfaces.srv import (
    AddSample,
    ListSamples,
    LoadModel,
    RelabelSamples,
    RemoveSamples,
)
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.action import ActionClient
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger
from support.lone_node import LoneNode
from support.robot_camera import Camera, Detector
from support.waiting import Collected, PATIENCE_S, wait_for
from vision_msgs.msg import Classification


@dataclass
class Goal:
    """A goal of ~/train on its way."""

    handle: Any
    result: Any
    in_executor: Callable[[Callable[[], Any]], Any]
    feedback: Collected[Any] = field(default_factory=Collected)

    def wait(self) -> tuple[int, Any]:
        """Return status and result when it ended."""
        response = wait_for(self.result)
        return response.status, response.result

    def cancel(self) -> Any:
        """Ask for its end and return the server's answer."""
        return wait_for(self.in_executor(self.handle.cancel_goal_async))


class Person(LoneNode):
    """
    A ROS node in this process that teaches, trains and listens.

    Args:
        retrain_node: full name of the node to talk to.
    """

    def __init__(self, retrain_node: str = '/edgetpu_retrain') -> None:
        super().__init__('person', enable_rosout=False)
        self.classifications: Collected[Any] = Collected()
        self._cameras: list[Camera] = []
        self._subscriptions: list[Any] = []
        self._clients: dict[str, Any] = {}
        self._add = self.node.create_client(AddSample, f'{retrain_node}/add_samples')
        self._remove = self.node.create_client(RemoveSamples, f'{retrain_node}/remove_samples')
        self._list = self.node.create_client(ListSamples, f'{retrain_node}/list_samples')
        self._load = self.node.create_client(LoadModel, f'{retrain_node}/load_model')
        self._relabel = self.node.create_client(RelabelSamples, f'{retrain_node}/relabel_samples')
        self._triggers = {
            name: self.node.create_client(Trigger, f'{retrain_node}/{name}')
            for name in ('undo', 'reembed_samples')
        }
        self._change = self.node.create_client(ChangeState, f'{retrain_node}/change_state')
        self._state = self.node.create_client(GetState, f'{retrain_node}/get_state')
        self._name = retrain_node
        self._train = ActionClient(self.node, Train, f'{retrain_node}/train')
        self.node.create_subscription(
            Classification, f'{retrain_node}/classification', self.classifications.append, 10
        )
        self.spin_in_a_thread()

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave ROS with all that is open."""
        self.close_cameras()
        self.stop_spinning()
        self._train.destroy()
        super().close()

    def wait_until_ready(self) -> Person:
        """Wait until the node answers."""
        for client in (self._add, self._remove, self._list):
            assert client.wait_for_service(timeout_sec=PATIENCE_S)
        assert self._train.wait_for_server(timeout_sec=PATIENCE_S)
        self._become_known()
        return self

    def client(self, service_type: type, name: str) -> Any:
        """
        Return a client that the node can answer.

        Args:
            service_type: of the service.
            name: of the service, below the node's.
        """
        if name not in self._clients:
            client = self.node.create_client(service_type, f'{self._name}/{name}')
            assert client.wait_for_service(timeout_sec=PATIENCE_S)
            self._become_known()
            self._clients[name] = client
        return self._clients[name]

    def set_parameter(self, name: str, value: object) -> Any:
        """Return the answer of ~/set_parameters about one parameter."""
        wanted = Parameter(name, value=value).to_parameter_msg()
        request = SetParameters.Request(parameters=[wanted])
        client = self.client(SetParameters, 'set_parameters')
        return wait_for(client.call_async(request)).results[0]

    def _become_known(self) -> None:
        """
        Wait until the node can answer every client that there is.

        What a service answers before it has discovered its client's reader is lost.  Readers are
        announced one after the other, in their order and reliably: a node that has answered the
        youngest client can answer all.
        """
        youngest = self.node.create_client(GetState, f'{self._name}/get_state')
        assert youngest.wait_for_service(timeout_sec=PATIENCE_S)
        for patience_s in (1.0, 2.0, 5.0, 15.0, PATIENCE_S):
            with contextlib.suppress(TimeoutError):
                wait_for(youngest.call_async(GetState.Request()), patience_s)
                return
        raise TimeoutError('the node does not answer ~/get_state')

    def camera(self, topic: str = '/image', message_type: type = Image) -> Camera:
        """Return a new camera."""
        camera = Camera(self.node, topic, message_type)
        self._cameras.append(camera)
        return camera

    def detector(
        self, image_topic: str, topic: str = '/boxes', message_type: type = Image
    ) -> Detector:
        """Return a new detector."""
        detector = Detector(self.node, image_topic, topic, message_type)
        self.executor.wake()
        return detector

    def close_cameras(self) -> None:
        """Take all cameras away."""
        while self._cameras:
            self._cameras.pop().close()

    def add_later(self, label: str, **fields: Any) -> Any:
        """Ask for samples and return the future of the answer."""
        return self._add.call_async(AddSample.Request(label=label, **fields))

    def add(self, label: str, **fields: Any) -> Any:
        """Ask for samples and return the answer."""
        return wait_for(self.add_later(label, **fields))

    def remove(self, label: str = '', n: int = 0) -> Any:
        """Ask for the removal of samples and return the answer."""
        return wait_for(self._remove.call_async(RemoveSamples.Request(label=label, n=n)))

    def list_samples(self, **fields: Any) -> Any:
        """Return the answer of ~/list_samples."""
        return wait_for(self._list.call_async(ListSamples.Request(**fields)))

    def relabel_later(self, new_label: str, **fields: Any) -> Any:
        """Ask for another label and return the future of the answer."""
        return self._relabel.call_async(RelabelSamples.Request(new_label=new_label, **fields))

    def relabel(self, new_label: str, **fields: Any) -> Any:
        """Return the answer of ~/relabel_samples."""
        return wait_for(self.relabel_later(new_label, **fields))

    def trigger(self, name: str) -> Any:
        """Return the answer of ~/undo or ~/reembed_samples."""
        return wait_for(self._triggers[name].call_async(Trigger.Request()))

    def load_model_later(self, version: int) -> Any:
        """Ask for a version and return the future of the answer."""
        return self._load.call_async(LoadModel.Request(version=version))

    def load_model(self, version: int) -> Any:
        """Return the answer of ~/load_model."""
        return wait_for(self.load_model_later(version))

    def change_state(self, transition: str | int) -> bool:
        """Ask the node for a transition, by name or by id, and return whether it was made."""
        request = ChangeState.Request()
        if isinstance(transition, int):
            request.transition.id = transition
        else:
            request.transition.label = transition
        return bool(wait_for(self._change.call_async(request)).success)

    @property
    def state(self) -> str:
        """State of the node's lifecycle."""
        return str(wait_for(self._state.call_async(GetState.Request())).current_state.label)

    def collect(self, message_type: type, topic: str, qos: Any = 10) -> Collected[Any]:
        """Listen to a topic, relative ones being the node's, and return what comes."""
        collected: Collected[Any] = Collected()
        name = topic if topic.startswith('/') else f'{self._name}/{topic}'
        self._subscriptions.append(
            self.node.create_subscription(message_type, name, collected.append, qos)
        )
        self.executor.wake()
        return collected

    def stop_listening(self) -> None:
        """End what :meth:`collect` began."""
        while self._subscriptions:
            self.node.destroy_subscription(self._subscriptions.pop())

    def start_training(self, **fields: Any) -> Goal:
        """Send a goal and return it when it is accepted."""
        feedback: Collected[Any] = Collected()

        def send() -> Any:
            return self._train.send_goal_async(
                Train.Goal(**fields),
                feedback_callback=lambda message: feedback.append(message.feedback),
            )

        handle = wait_for(self._in_executor(send))
        assert handle.accepted
        result = self._in_executor(handle.get_result_async)
        return Goal(handle, result, self._in_executor, feedback)

    def _in_executor(self, ask: Callable[[], Any]) -> Any:
        """
        Have the executor's thread ask the action's server, and return the future of the answer.

        The action's client forgets an answer that another thread takes before it has noted its
        question (rclpy/action/client.py).
        """
        return wait_for(self.executor.create_task(ask))

    def train(self, **fields: Any) -> tuple[int, Any]:
        """Send a goal and return status and result."""
        return self.start_training(**fields).wait()

    def teach(self, camera: Camera, pictures: Mapping[str, Any], count: int = 6) -> None:
        """Show a picture of each class and have it captured."""
        for label, message in pictures.items():
            camera.show(message)
            camera.stamps.next_one()
            answer = self.add(label, count=count, timeout_s=PATIENCE_S)
            assert answer.success, answer.message
