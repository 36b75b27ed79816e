# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""The retrain node in a process of its own, and a person with a camera who talks to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
import contextlib
from dataclasses import dataclass, field
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, TypeVar

from edgetpu_retrain_interfaces.action import Train
from edgetpu_retrain_interfaces.srv import (
    AddSample,
    ListSamples,
    LoadModel,
    RelabelSamples,
    RemoveSamples,
)
from lifecycle_msgs.srv import ChangeState, GetState
import numpy as np
import numpy.typing as npt
import rclpy
from rclpy.action import ActionClient
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import Trigger
from vision_msgs.msg import (
    Classification,
    Detection2D,
    Detection2DArray,
    ObjectHypothesisWithPose,
)

# How long a busy machine may take for what an idle one does in a moment.
PATIENCE_S = 90.0

Answer = TypeVar('Answer')
Program = TypeVar('Program', bound='RunningProgram')
Picture = npt.NDArray[np.uint8]


class Collected(list[Answer]):
    """What came, in order; other threads can wait for more."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._ended = False

    def append(self, item: Answer) -> None:
        with self._changed:
            super().append(item)
            self._changed.notify_all()

    def end(self) -> None:
        """Tell that nothing more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, what: Callable[[Answer], bool], *, since: int = 0) -> Answer:
        """Return the first item, from number ``since`` on, for which ``what`` holds."""
        found: list[Answer] = []

        def is_there() -> bool:
            found.extend(item for item in self[since:] if what(item))
            return bool(found) or self._ended

        with self._changed:
            self._changed.wait_for(is_there, PATIENCE_S)
        if not found:
            last = '\n'.join(map(str, self[-20:]))
            raise TimeoutError(f'it did not come within {PATIENCE_S:.0f} s; the last:\n{last}')
        return found[0]

    def next_one(self) -> Answer:
        """Wait for one more than there are now, and return it."""
        return self.wait_for(lambda _: True, since=len(self))


class RunningProgram:
    """
    A child process that talks; as a context it is ended with SIGINT.

    Args:
        command: the program and its arguments.
        environment: changes to this process's.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            env={**os.environ, 'PYTHONFAULTHANDLER': '1', **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
        )
        self.log: Collected[str] = Collected()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self: Program) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def wait_until_ready(self: Program) -> Program:
        """Wait until the node in it says so; what it said instead is in the error."""
        self.wait_for_log('ready')
        return self

    def wait_for_log(self, words: str, *, since: int = 0) -> str:
        """Return the first line, from number ``since`` on, that has these words."""
        return self.log.wait_for(lambda line: words in line, since=since)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, unless it has ended by itself, and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait until it ends, and return the exit code."""
        try:
            exit_code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            # It says where each of its threads is.
            self.process.send_signal(signal.SIGABRT)
            self._reader.join(PATIENCE_S)
            self.process.kill()
            raise TimeoutError('it does not end:\n' + '\n'.join(self.log)) from error
        self._reader.join(PATIENCE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return exit_code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log.append(line.rstrip())
        self.log.end()


class RunningNode(RunningProgram):
    """
    A process with the retrain node.

    Args:
        python_path: its PYTHONPATH.
        parameters: name to value, as on the command line.
        arguments: more of the command line, behind ``--ros-args``.
        environment: changes to this process's.
        program: what Python is to run.
    """

    def __init__(
        self,
        python_path: str,
        parameters: Mapping[str, object],
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = ('-m', 'edgetpu_retrain.node.main'),
    ) -> None:
        given = [part for name, value in parameters.items() for part in ('-p', f'{name}:={value}')]
        super().__init__(
            [sys.executable, *program, '--ros-args', *given, *arguments],
            {'PYTHONPATH': python_path, **(environment or {})},
        )


@dataclass
class Goal:
    """A goal of ~/train on its way."""

    handle: Any
    result: Any
    feedback: Collected[Any] = field(default_factory=Collected)

    def wait(self) -> tuple[int, Any]:
        """Return status and result when it ended."""
        response = wait_for(self.result)
        return response.status, response.result

    def cancel(self) -> Any:
        """Ask for its end and return the server's answer."""
        return wait_for(self.handle.cancel_goal_async())


def wait_for(future: Any, patience_s: float = PATIENCE_S) -> Any:
    """Wait for an rclpy future that another thread's executor ends."""
    ended = threading.Event()
    future.add_done_callback(lambda _: ended.set())
    if not ended.wait(patience_s):
        raise TimeoutError(f'no answer within {patience_s:.0f} s')
    return future.result()


class Camera:
    """
    Publishes what it is shown, again and again, each image with a stamp of its own.

    Its clock can be set by ``clock_ahead_ns``, and ``period_s`` changed.

    Args:
        node: publishes for it.
        topic: of the images.
        message_type: Image or CompressedImage.
        frame_id: in each header.
    """

    def __init__(
        self, node: Any, topic: str, message_type: type = Image, frame_id: str = 'camera_frame'
    ) -> None:
        self._node = node
        self._publisher = node.create_publisher(message_type, topic, qos_profile_sensor_data)
        self._frame_id = frame_id
        self._message: Any = None
        self._stop = threading.Event()
        self.clock_ahead_ns = 0
        self.period_s = 0.04
        self.stamps: Collected[int] = Collected()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def show(self, message: Any) -> None:
        """Publish a message from now on; None = nothing."""
        self._message = message

    def close(self) -> None:
        """Stop publishing and leave the topic."""
        self._stop.set()
        self._thread.join()
        self._node.destroy_publisher(self._publisher)

    def _run(self) -> None:
        while not self._stop.wait(self.period_s):
            message = self._message
            if message is None:
                continue
            now = time.time_ns() + self.clock_ahead_ns
            message.header.frame_id = self._frame_id
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(now, 10**9)
            self._publisher.publish(message)
            self.stamps.append(now)


class Detector:
    """
    Answers each image with the same boxes, as a detector that finds them would.

    ``boxes`` can be changed, and ``late_ns`` is added to the stamps that it copies.

    Args:
        node: listens and publishes for it.
        image_topic: of the images.
        topic: of the boxes.
        message_type: Image or CompressedImage.
    """

    def __init__(
        self, node: Any, image_topic: str, topic: str, message_type: type = Image
    ) -> None:
        self.boxes: list[Detection2D] = []
        self.late_ns = 0
        self._publisher = node.create_publisher(Detection2DArray, topic, 10)
        node.create_subscription(message_type, image_topic, self._detect, qos_profile_sensor_data)

    def _detect(self, image: Any) -> None:
        found = Detection2DArray(header=image.header, detections=self.boxes)
        found.header.stamp.nanosec += self.late_ns
        self._publisher.publish(found)


class Person:
    """
    A ROS node in this process that teaches, trains and listens.

    Args:
        retrain_node: full name of the node to talk to.
    """

    def __init__(self, retrain_node: str = '/edgetpu_retrain') -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node('person', context=self.context)
        self.classifications: Collected[Any] = Collected()
        self._cameras: list[Camera] = []
        self._subscriptions: list[Any] = []
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
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_cameras()
        self._executor.shutdown()
        self._executor.wake()
        self._thread.join(PATIENCE_S)
        self._train.destroy()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)

    def wait_until_ready(self) -> Person:
        """Wait until the node answers."""
        for client in (self._add, self._remove, self._list):
            assert client.wait_for_service(timeout_sec=PATIENCE_S)
        assert self._train.wait_for_server(timeout_sec=PATIENCE_S)
        # The services are there before all else; they answer when the node has started.  An
        # answer is lost where the node has not discovered who asks yet, so this is asked again.
        for patience_s in (5.0, 15.0, PATIENCE_S):
            with contextlib.suppress(TimeoutError):
                wait_for(self._list.call_async(ListSamples.Request()), patience_s)
                return self
        raise TimeoutError('the node does not answer ~/list_samples')

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
        self._executor.wake()
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
        self._executor.wake()
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

        # In the executor's thread: the client forgets an answer that comes before it has taken
        # note of its question (rclpy/action/client.py, send_goal_async).
        handle = wait_for(wait_for(self._executor.create_task(send)))
        assert handle.accepted
        return Goal(handle, handle.get_result_async(), feedback)

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

    def _spin(self) -> None:
        # It is shut down while it waits.
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()


def image_message(picture: Picture, encoding: str = 'rgb8') -> Image:
    """Return a ``sensor_msgs/Image`` of a picture ``[H, W, C]``."""
    height, width = picture.shape[:2]
    message = Image(height=height, width=width, encoding=encoding, step=picture[0].nbytes)
    message.data = picture.tobytes()
    return message


def compressed_message(content: bytes, kind: str = 'jpeg') -> CompressedImage:
    """Return a ``sensor_msgs/CompressedImage`` of a file."""
    message = CompressedImage(format=kind)
    message.data = content
    return message


def box_message(
    name: str, x: float, y: float, width: float, height: float, score: float = 0.5
) -> Detection2D:
    """Return a detection with the id ``name`` around the centre (x, y)."""
    detection = Detection2D(id=name)
    detection.bbox.center.position.x, detection.bbox.center.position.y = float(x), float(y)
    detection.bbox.size_x, detection.bbox.size_y = float(width), float(height)
    hypothesis = ObjectHypothesisWithPose()
    hypothesis.hypothesis.class_id, hypothesis.hypothesis.score = 'thing', score
    detection.results = [hypothesis]
    return detection


def pattern(seed: int) -> Picture:
    """Return a picture, uint8 ``[48, 64, 3]``, that looks like no one with another seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return np.repeat(np.repeat(coarse, 8, axis=0), 8, axis=1)


TAUGHT = 3
"""How many samples of each class the tests' taught robot has."""
TAUGHT_IMAGES = {
    label: image_message(pattern(seed)) for seed, label in enumerate(('cat', 'dog'), 1)
}
"""What it was taught."""
