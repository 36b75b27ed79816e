# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""RetrainNode: implements the lifecycle of the node."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from edgetpu_retrain.errors import FolderInUseError, RequestError
from edgetpu_retrain.node.autostart import Autostart, CONFIGURATION_PROBLEM
from edgetpu_retrain.node.cameras.camera import Camera
from edgetpu_retrain.node.cameras.image_thread import ImageThread
from edgetpu_retrain.node.frames.frame_statistics import CameraStatistics
from edgetpu_retrain.node.health.device_watch import DeviceFacts
from edgetpu_retrain.node.health.diagnostics import camera_problem, delivery_problem, diagnostics
from edgetpu_retrain.node.health.status import NodeStatus
from edgetpu_retrain.node.models.model_following import ModelFollowing
from edgetpu_retrain.node.models.model_services import ModelServices
from edgetpu_retrain.node.models.training_action import TrainingAction
from edgetpu_retrain.node.older_rclpy import after_parameters_are_set
from edgetpu_retrain.node.parameters.declaration import DeclaredParameters
from edgetpu_retrain.node.parameters.values import CameraParameters
from edgetpu_retrain.node.questions.question_services import QuestionServices
from edgetpu_retrain.node.requests.callback_errors import explain
from edgetpu_retrain.node.resources import NodeResources
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
}


class RetrainNode(ManagedEntity):
    """
    Classifies camera images, and learns new classes at the same time.

    This class wraps a lifecycle node instead of subclassing it, so that private names cannot clash
    with those of rclpy.  The services and the action are created once, at construction, so that
    requests get a response in any state of the node.

    Args:
        node: a new, unconfigured node; the caller destroys it.
    """

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._log = node.get_logger()
        self._resources: NodeResources | None = None
        self._parameters = DeclaredParameters(node, lambda: self._resources is not None)
        self._folder_in_use: Path | None = None
        self._is_active = False
        self._cameras: dict[str, Camera] = {}
        self._status = NodeStatus(node)
        self._images = ImageThread(node)
        self._samples = SampleServices(node, self._active)
        self._questions = QuestionServices(node, self._active)
        self._models = ModelServices(node, self._active)
        self._following = ModelFollowing(node, self._status)
        self._action = TrainingAction(node, self._active, self._status.update)
        self._diagnostics = node.create_publisher(
            DiagnosticArray, '/diagnostics', QoSProfile(depth=10)
        )
        after_parameters_are_set(
            node,
            lambda changed: self._succeeds(lambda: self._reread_parameters(changed), 'parameters'),
        )
        # The node's own clock may be simulated, and then paused or set back.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(_WATCH_PERIOD_S, self._watch, clock=steady)
        node.add_managed_entity(self)
        self._autostart = Autostart(node, self._status, lambda: self._folder_in_use)

    def start(self) -> None:
        """Configure and activate the node, unless ``autostart`` is false."""
        if self._parameters.autostart:
            self._autostart.start()
        else:
            self._log.info('waiting for a lifecycle manager, because autostart is false')

    def close(self) -> None:
        """Cancel a running training, stop all threads and close the files."""
        self._deactivate()
        self._action.close()
        self._images.close()
        self._clean_up()

    # Transition callbacks.  rclpy discards exceptions that they raise.

    def on_configure(self, _state: Any) -> TransitionCallbackReturn:
        """Open the data folder, and load the extractor and the model."""
        if not self._succeeds(self._configure):
            return TransitionCallbackReturn.ERROR
        self._status.update(state='inactive')
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, _state: Any) -> TransitionCallbackReturn:
        """Start the workers and subscribe to the cameras."""
        if not self._succeeds(self._activate):
            self._deactivate()
            return TransitionCallbackReturn.FAILURE
        self._status.update(state='active', **self._camera_facts())
        self._log.info('ready')
        return TransitionCallbackReturn.SUCCESS

    def on_deactivate(self, _state: Any) -> TransitionCallbackReturn:
        """Unsubscribe from the cameras, cancel a running training and stop the workers."""
        if not self._succeeds(self._deactivate):
            return TransitionCallbackReturn.ERROR
        self._status.update(state='inactive', cameras=())
        return TransitionCallbackReturn.SUCCESS

    def on_cleanup(self, _state: Any) -> TransitionCallbackReturn:
        """Release devices, models and files."""
        return self._release('unconfigured', self._clean_up)

    def on_shutdown(self, _state: Any) -> TransitionCallbackReturn:
        """Release all resources before the node is finalized."""
        return self._release('finalized', self._deactivate, self._clean_up)

    def on_error(self, _state: Any) -> TransitionCallbackReturn:
        """Release all resources, so that the node can be configured again; keep the problems."""
        problems, folder_in_use = self._status.facts.problems, self._folder_in_use
        released = self._release('unconfigured', self._deactivate, self._clean_up)
        self._folder_in_use = folder_in_use
        self._status.update(problems=problems)
        return released

    def _release(self, state: str, *steps: Callable[[], None]) -> TransitionCallbackReturn:
        if not all(map(self._succeeds, steps)):
            self._status.update(state='finalized')
            return TransitionCallbackReturn.ERROR
        self._status.forget_configuration(state)
        return TransitionCallbackReturn.SUCCESS

    def _succeeds(self, change: Callable[[], None], what: str = CONFIGURATION_PROBLEM) -> bool:
        """
        Call a function, and return whether it succeeded; log and report its exception.

        Args:
            change: the function.
            what: key in :attr:`NodeFacts.problems` under which an exception is reported.
        """
        if what == CONFIGURATION_PROBLEM:
            self._folder_in_use = None
        try:
            change()
        except Exception as error:  # noqa: BLE001 - rclpy would discard it, or not respond
            # A signal can shut ROS down at any time; calls to rclpy then fail.
            if not self._node.context.ok():
                return False
            message = explain(self._node, error)
            if isinstance(error, FolderInUseError):
                self._folder_in_use = error.folder
            self._status.set_problem(what, message)
            self._log.error(message)
            return False
        self._status.set_problem(what, '')
        return True

    def _configure(self) -> None:
        parameters = self._parameters.configure()
        self._resources = NodeResources(self._node, self._status, parameters)

    def _activate(self) -> None:
        assert self._resources is not None
        self._resources.workers.start()
        self._resources.damage.update()
        self._update_cameras(self._resources)
        self._images.start()
        self._is_active = True
        if len(set(self._resources.topics.values())) < len(self._cameras):
            self._log.warning('several cameras read the same topic: set <name>.image_topic')

    def _deactivate(self) -> None:
        """Undo activation, even if it is incomplete."""
        self._is_active = False
        self._images.stop()
        while self._cameras:
            self._close_camera(next(iter(self._cameras)))
        # Trainings and other jobs cannot finish without the workers, so stop the jobs first.
        self._action.stop()
        self._models.stop()
        self._following.stop()
        self._samples.stop()
        if self._resources is not None:
            self._resources.stop()

    def _clean_up(self) -> None:
        """Undo configuration, even if it is incomplete."""
        if self._resources is not None:
            self._resources.close()
            self._resources = None

    def _update_cameras(self, resources: NodeResources) -> None:
        """Open the cameras with ``active: true``, and close the others."""
        for parameters in resources.parameters.cameras:
            name = parameters.name
            if not parameters.active:
                if name in self._cameras:
                    self._close_camera(name)
                    self._log.info(f'camera {name!r} is not active any more')
                self._status.set_problem(camera_problem(name), '')
            elif name in self._cameras:
                self._cameras[name].parameters = parameters
            else:
                try:
                    self._open_camera(parameters, resources)
                except RequestError as error:
                    # During activation, the error makes the transition fail.
                    if not self._is_active:
                        raise
                    self._log.error(sentence(error))
                    self._status.set_problem(camera_problem(name), sentence(error))
        resources.topics = {name: camera.topic for name, camera in self._cameras.items()}

    def _open_camera(self, parameters: CameraParameters, resources: NodeResources) -> None:
        offer, statistics = resources.workers.offer, resources.statistics
        camera = Camera(self._node, parameters, offer, statistics, self._images.group)
        self._cameras[camera.name] = camera
        self._log.info(f'camera {camera.name!r} reads {camera.topic} {camera.reliability}')
        if camera.detections_topic:
            self._log.info(f'camera {camera.name!r} has detections {camera.detections_topic}')

    def _close_camera(self, name: str) -> None:
        self._cameras.pop(name).close()
        for problem in (camera_problem(name), delivery_problem(name), _watch_problem(name)):
            self._status.set_problem(problem, '')

    def _camera_facts(self) -> dict[str, Any]:
        topics = {name: camera.topic for name, camera in self._cameras.items()}
        return {'cameras': tuple(topics), 'camera_topics': topics}

    def _active(self) -> NodeResources:
        """Return the resources; raise RequestError unless the node is active."""
        if not self._is_active or self._resources is None:
            facts = self._status.facts
            how = _HOW_TO_ACTIVATE.get(facts.state, 'start it again')
            why = facts.problems.get(CONFIGURATION_PROBLEM) or how.format(
                name=self._node.get_fully_qualified_name()
            )
            raise RequestError(f'The node is {facts.state}: {why}')
        return self._resources

    def _reread_parameters(self, changed: list[Any]) -> None:
        if self._resources is None:
            return
        for parameter in changed:
            # rclpy itself declares parameters qos_overrides.* when a subscription is created.
            if not parameter.name.startswith('qos_overrides.'):
                self._log.info(f'parameter {parameter.name} set to {parameter.value!r}')
        self._resources.parameters = parameters = self._parameters.read()
        if self._is_active:
            active = {each.name for each in parameters.cameras if each.active}
            with self._images.paused() if active != set(self._cameras) else nullcontext():
                self._update_cameras(self._resources)
            self._status.update(**self._camera_facts())

    def _watch(self) -> None:
        cameras: dict[str, CameraStatistics] = {}
        devices: list[DeviceFacts] = []
        if (resources := self._resources) is not None:
            if self._is_active:
                # Other programs may change the data folder.
                self._check(
                    'check of models', partial(self._following.check_for_changes, resources)
                )
                self._check('check of samples', resources.samples.check_for_changes)
                self._check('check of damage', resources.damage.update)
            self._check('check of publishers', self._follow_publishers)
            names = resources.parameters.camera_names
            cameras = {name: resources.statistics.summary(name) for name in names}
            for name, camera in self._cameras.items():
                watch = partial(self._watch_camera, camera, resources, cameras)
                self._check(_watch_problem(name), watch)
            self._check('check of devices', lambda: devices.extend(resources.check_devices()))
        node_name = self._node.get_fully_qualified_name().lstrip('/')
        stamp = self._node.get_clock().now().to_msg()
        message = diagnostics(node_name, stamp, self._status.facts, cameras, devices)
        self._diagnostics.publish(message)

    def _check(self, problem: str, check: Callable[[], None]) -> None:
        """
        Call a periodic check; log and report its exception, so that the other checks continue.

        Args:
            problem: key in :attr:`NodeFacts.problems` under which an exception is reported; it is
                logged when it is new.
            check: the check.
        """
        try:
            check()
        except Exception as error:  # noqa: BLE001 - a bug must not prevent the other checks
            if self._node.context.ok() and problem not in self._status.facts.problems:
                message = explain(self._node, error)
                self._status.set_problem(problem, message)
                self._log.error(message)
        else:
            self._status.set_problem(problem, '')

    def _follow_publishers(self) -> None:
        """Renew the subscriptions of cameras whose publishers have changed their reliability."""
        outdated = [camera for camera in self._cameras.values() if camera.is_outdated]
        with self._images.paused() if outdated else nullcontext():
            for camera in outdated:
                camera.renew()
                self._log.info(f'camera {camera.name!r} reads {camera.topic} {camera.reliability}')

    def _watch_camera(
        self, camera: Camera, resources: NodeResources, statistics: dict[str, CameraStatistics]
    ) -> None:
        """Report the problems of a camera, and add its loss to its statistics."""
        name = camera.name
        undelivered = camera.check_delivery()
        problem = sentence(undelivered) if undelivered else ''
        if problem and problem != self._status.facts.problems.get(delivery_problem(name)):
            self._log.warning(undelivered)
        self._status.set_problem(delivery_problem(name), problem)
        # FrameOutput has already logged these faults, so only report them.
        self._status.set_problem(camera_problem(name), resources.fault_of(name))
        statistics[name] = replace(statistics[name], loss=camera.loss)


def _watch_problem(camera: str) -> str:
    """Return the key in :attr:`NodeFacts.problems` for a camera that cannot be watched."""
    return f'watch of {camera}'
