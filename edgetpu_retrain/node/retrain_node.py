# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The node: a lifecycle, and what each of its transitions begins and ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
import traceback
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.node.active_parts import ActiveParts
from edgetpu_retrain.node.cameras.camera import Camera
from edgetpu_retrain.node.cameras.image_thread import ImageThread
from edgetpu_retrain.node.health.device_watch import DeviceFacts
from edgetpu_retrain.node.health.diagnostics import camera_problem, diagnostics
from edgetpu_retrain.node.health.status import NodeStatus
from edgetpu_retrain.node.loaded_parts import LoadedParts
from edgetpu_retrain.node.models.model_following import ModelFollowing
from edgetpu_retrain.node.models.model_services import ModelServices
from edgetpu_retrain.node.models.training_action import TrainingAction
from edgetpu_retrain.node.older_rclpy import after_parameters_are_set
from edgetpu_retrain.node.parameters.declaration import (
    declare_node_parameters,
    declare_parameters,
    read_parameters,
    refuse_late_changes,
)
from edgetpu_retrain.node.parameters.values import NodeParameters
from edgetpu_retrain.node.samples.correction_services import CorrectionServices
from edgetpu_retrain.node.samples.sample_services import SampleServices
from edgetpu_retrain.wording import sentence
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, ManagedEntity, TransitionCallbackReturn
from rclpy.qos import QoSProfile

_WATCH_PERIOD_S = 1.0

_HOW_TO_ACTIVATE = {
    'unconfigured': 'configure and activate it first (ros2 lifecycle set {name} configure, then '
    'activate)',
    'inactive': 'activate it first (ros2 lifecycle set {name} activate)',
    'finalized': 'start it again',
}


class RetrainNode(ManagedEntity):
    """
    Classifies what its cameras see, and learns new classes meanwhile.

    It has a lifecycle node rather than being one, because a subclass would share its private
    names with every release of rclpy.  Services and the action are there from the beginning, so
    that whoever asks too early gets an answer.

    Args:
        node: a fresh one; it stays its maker's to destroy.

    Raises:
        RequestError: when a parameter is of the wrong type or out of its range.
    """

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._log = node.get_logger()
        declare_node_parameters(node)
        self._autostart = bool(node.get_parameter('autostart').value)
        self._parameters: NodeParameters | None = None
        self._parts: LoadedParts | None = None
        self._cameras: dict[str, Camera] = {}
        self._active_parts: ActiveParts | None = None
        self._status = NodeStatus(node)
        self._images = ImageThread(node)
        SampleServices(node, self._active)
        self._corrections = CorrectionServices(node, self._active)
        self._models = ModelServices(node, self._active)
        self._following = ModelFollowing(node, self._status)
        self._action = TrainingAction(node, self._active, self._training_changed)
        self._diagnostics = node.create_publisher(
            DiagnosticArray, '/diagnostics', QoSProfile(depth=10)
        )
        refuse_late_changes(node, lambda: self._parts is not None)
        after_parameters_are_set(node, self._reread_parameters)
        # The node's own clock may be a simulation's, stand still or be set back.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(_WATCH_PERIOD_S, self._watch, clock=steady)
        node.add_managed_entity(self)

    def start(self) -> bool:
        """Configure and activate, where ``autostart`` says so; False when that failed."""
        if not self._autostart:
            self._log.info('waiting for a lifecycle manager, because autostart is false')
            return True
        return all(
            transition() == TransitionCallbackReturn.SUCCESS
            for transition in (self._node.trigger_configure, self._node.trigger_activate)
        )

    def close(self) -> None:
        """Cancel a training that runs, end all threads and close the files."""
        self._action.close()
        self._corrections.stop()
        self._models.stop()
        self._following.stop()
        self._images.close()
        self._clean_up()

    # What rclpy calls at the transitions.  It would swallow what they raise.

    def on_configure(self, _state: Any) -> TransitionCallbackReturn:
        """Load models and open the store."""
        if not self._succeeds(self._configure):
            return TransitionCallbackReturn.ERROR
        self._status.update(state='inactive')
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, _state: Any) -> TransitionCallbackReturn:
        """Listen to the cameras and serve."""
        if not self._succeeds(self._activate):
            self._deactivate()
            return TransitionCallbackReturn.FAILURE
        self._status.update(state='active', cameras=tuple(self._cameras))
        self._log.info('ready')
        return TransitionCallbackReturn.SUCCESS

    def on_deactivate(self, _state: Any) -> TransitionCallbackReturn:
        """Let the cameras go; a training that runs is cancelled."""
        self._deactivate()
        self._status.update(state='inactive', cameras=())
        return TransitionCallbackReturn.SUCCESS

    def on_cleanup(self, _state: Any) -> TransitionCallbackReturn:
        """Let devices, models and files go."""
        self._clean_up()
        self._status.forget_configuration('unconfigured')
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, _state: Any) -> TransitionCallbackReturn:
        """Let everything go, for good."""
        self._deactivate()
        self._clean_up()
        self._status.forget_configuration('finalized')
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, _state: Any) -> TransitionCallbackReturn:
        """Go back to the beginning, where it can be configured again."""
        self._deactivate()
        self._clean_up()
        problems = self._status.facts.problems
        self._status.forget_configuration('unconfigured')
        self._status.update(problems=problems)
        return TransitionCallbackReturn.SUCCESS

    def _succeeds(self, transition: Callable[[], None]) -> bool:
        try:
            transition()
        except Exception as error:  # noqa: BLE001 - rclpy would swallow it
            # A signal ends ROS at any moment, and whatever is being done with it then fails.
            if not self._node.context.ok():
                return False
            if not isinstance(error, (RetrainError, FileNotFoundError)):
                self._log.error(traceback.format_exc())
            self._status.set_problem('configuration', sentence(error))
            # The process of a node that starts by itself ends with this.
            (self._log.fatal if self._autostart else self._log.error)(sentence(error))
            return False
        self._status.set_problem('configuration', '')
        return True

    def _configure(self) -> None:
        self._parameters = declare_parameters(self._node)
        self._parts = LoadedParts(self._node, self._status, self._present_parameters)

    def _activate(self) -> None:
        assert self._parts is not None
        self._parts.start()
        self._open_cameras()
        self._images.start()
        if len({camera.topic for camera in self._cameras.values()}) < len(self._cameras):
            self._log.warning('several cameras read the same topic: set <name>.image_topic')

    def _deactivate(self) -> None:
        """Do the opposite of activating, as far as that came."""
        self._active_parts = None
        self._images.stop()
        while self._cameras:
            self._close_camera(next(iter(self._cameras)))
        # Before the worker, which all of them need for their end.
        self._action.stop()
        self._models.stop()
        self._following.stop()
        self._corrections.stop()
        if self._parts is not None:
            self._parts.stop()

    def _clean_up(self) -> None:
        """Do the opposite of configuring, as far as that came."""
        if self._parts is not None:
            self._parts.close()
            self._parts = None

    def _open_cameras(self) -> None:
        """Listen to the cameras that are to be active, and to no other."""
        assert self._parts is not None
        for parameters in self._present_parameters().cameras:
            name = parameters.name
            if parameters.active and name not in self._cameras:
                camera = Camera(
                    self._node,
                    parameters,
                    self._parts.workers.offer,
                    self._parts.statistics,
                    self._images.group,
                )
                self._cameras[name] = camera
                self._log.info(f'camera {name!r} reads {camera.topic}')
                if camera.detections_topic:
                    self._log.info(f'camera {name!r} has detections {camera.detections_topic}')
            elif not parameters.active and name in self._cameras:
                self._close_camera(name)
                self._log.info(f'camera {name!r} is not active any more')
            elif parameters.active:
                self._cameras[name].parameters = parameters
        self._active_parts = self._parts.active(
            {name: camera.topic for name, camera in self._cameras.items()}
        )

    def _close_camera(self, name: str) -> None:
        self._cameras.pop(name).close()
        self._status.set_problem(camera_problem(name), '')

    def _active(self) -> ActiveParts:
        if self._active_parts is None:
            state = self._status.facts.state
            how = _HOW_TO_ACTIVATE[state].format(name=self._node.get_fully_qualified_name())
            raise RequestError(f'The node is {state}: {how}')
        return self._active_parts

    def _present_parameters(self) -> NodeParameters:
        assert self._parameters is not None
        return self._parameters

    def _reread_parameters(self, _changed: list[Any]) -> None:
        if self._parts is None:
            return
        self._parameters = read_parameters(self._node)
        if self._active_parts is not None:
            active = {each.name for each in self._parameters.cameras if each.active}
            with self._images.paused() if active != set(self._cameras) else nullcontext():
                self._open_cameras()
            self._status.update(cameras=tuple(self._cameras))

    def _training_changed(self, training: bool, last_training: str) -> None:
        self._status.update(training=training, last_training=last_training)

    def _watch(self) -> None:
        if self._active_parts is not None:
            # What other programs do in the data folder.
            self._following.check_for_changes(self._active_parts)
            self._active_parts.samples.check_for_changes()
        for name, camera in self._cameras.items():
            self._watch_camera(name, camera)
        cameras = {}
        devices: tuple[DeviceFacts, ...] = ()
        if self._parts is not None:
            devices = self._parts.check_devices()
            statistics = self._parts.statistics
            cameras = {
                name: statistics.summary(name) for name in self._present_parameters().camera_names
            }
        self._diagnostics.publish(
            diagnostics(
                self._node.get_fully_qualified_name().lstrip('/'),
                self._node.get_clock().now().to_msg(),
                self._status.facts,
                cameras,
                devices,
            )
        )

    def _watch_camera(self, name: str, camera: Camera) -> None:
        assert self._parts is not None
        problem = ''
        if silence := camera.check_silence():
            problem = sentence(silence)
            if problem != self._status.facts.problems.get(camera_problem(name)):
                self._log.warning(silence)
        elif fault := self._parts.latest_fault(name):
            # Already logged.
            problem = sentence(f'camera {name!r}: {fault}')
        self._status.set_problem(camera_problem(name), problem)
