# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""LoadedParts: what 'configure' loads and 'cleanup' lets go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
import gc
from pathlib import Path

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.node.active_parts import ActiveParts
from edgetpu_retrain.node.classifications.frame_output import FrameOutput
from edgetpu_retrain.node.frames.captures import Captures
from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics
from edgetpu_retrain.node.frames.frame_worker import FrameWorker
from edgetpu_retrain.node.frames.frame_workers import FrameWorkers
from edgetpu_retrain.node.health.device_watch import about_device, DeviceFacts, DeviceWatch
from edgetpu_retrain.node.health.status import NodeStatus
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.models.model_announcement import ModelAnnouncement
from edgetpu_retrain.node.models.model_training import ModelTraining
from edgetpu_retrain.node.models.model_versions import ModelVersions
from edgetpu_retrain.node.parameters.values import NodeParameters
from edgetpu_retrain.node.requests.responses import DEACTIVATED
from edgetpu_retrain.node.samples.sample_thread import SampleThread
from edgetpu_retrain.runtime.engines.device_engines import DeviceEngines, make_engines
from edgetpu_retrain.store.files.data_folder import data_folder, MODELS_FOLDER, SAMPLES_FILE
from edgetpu_retrain.store.files.ownership import Ownership
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.models.serving import Choice
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.wording import sentence
from rclpy.node import Node

_MODELS_PROBLEM = 'models'
_SAMPLES_PROBLEM = 'samples'


class LoadedParts:
    """
    Models, files and the threads that work with them.

    Args:
        node: publishes and logs.
        status: is told what was loaded.
        parameters: returns the present values of the node's parameters.

    Raises:
        RetrainError, FileNotFoundError: when something cannot be loaded; the message says what
            to change, and nothing stays loaded.
    """

    def __init__(
        self, node: Node, status: NodeStatus, parameters: Callable[[], NodeParameters]
    ) -> None:
        self._node = node
        self._log = node.get_logger()
        self._status = status
        self._parameters = parameters
        self._devices: DeviceWatch | None = None
        # What is to be ended, in the order in which it began.
        self._stack = ExitStack()
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the threads, close the files and free the devices."""
        self._stack.close()
        # Interpreters in reference cycles would hold their device until some later collection.
        gc.collect()

    def check_devices(self) -> tuple[DeviceFacts, ...]:
        """Tell how the devices are; one that failed is tried again when it is time to."""
        # A device may fail before the engine on it is made.
        return self._devices.check() if self._devices is not None else ()

    def latest_fault(self, camera: str) -> str:
        """Return what was wrong with a camera's frames since this was last asked, or ''."""
        return self._output.latest_fault(camera)

    def start(self) -> None:
        """Begin to take frames and requests."""
        self.workers.start()

    def stop(self) -> None:
        """Take no frames and requests any more; those that wait are told."""
        self.captures.end_all(RequestError(DEACTIVATED))
        self.workers.stop()

    def active(self, topics: dict[str, str]) -> ActiveParts:
        """Return what requests work with, given each camera's topic."""
        return ActiveParts(
            parameters=self._parameters,
            topics=topics,
            captures=self.captures,
            workers=self.workers,
            store=self._store,
            samples=self._samples,
            versions=self._versions,
            training=self._training,
        )

    def _load(self) -> None:
        parameters = self._parameters()
        folder = data_folder(parameters.data_dir)
        self._stack.enter_context(Ownership(folder))
        self._store = self._stack.enter_context(
            SampleStore(folder / SAMPLES_FILE, must_open=False, is_ending=self._is_ending)
        )
        models = ModelStore(folder / MODELS_FOLDER, is_ending=self._is_ending)
        extractor = read_model(Path(parameters.extractor or default_extractor_path()))
        engines = self._make_engines(extractor, parameters)
        identity = engines.description.identity
        self._announcement = ModelAnnouncement(self._node)
        self._stack.callback(self._announcement.close)
        self._samples = SampleThread(
            self._store,
            engines.description,
            lambda: self._parameters().store_images,
            lambda counts: self._status.update(counts=counts),
            lambda problem: self._status.set_problem(_SAMPLES_PROBLEM, problem),
        )
        self._stack.callback(self._samples.close)
        self._versions = ModelVersions(
            models,
            identity,
            engines.prepare,
            self._serve,
            self._swapped,
        )
        served = self._start_serving()
        self.captures = Captures()
        self.statistics = FrameStatistics(parameters.camera_names)
        self._output = FrameOutput(
            self._node, engines.description, self._parameters, self._samples, self.captures
        )
        self._stack.callback(self._output.close)
        self.workers = self._make_workers(engines, served, parameters.device_of)
        self._stack.callback(self.workers.stop)
        self._training = ModelTraining(
            self._store,
            extractor,
            identity,
            self._versions.add,
            lambda: self._versions.prune(self._parameters().keep_models),
        )
        self._report_samples(folder, identity)

    def _serve(self, model: LoadedModel) -> None:
        # The workers are created with the first model, after the versions that load it.
        self.workers.serve(model)

    def _is_ending(self) -> bool:
        """Tell whether a signal has ended ROS, so that nothing is worth a wait any more."""
        return not self._node.context.ok()

    def _make_engines(self, extractor: bytes, parameters: NodeParameters) -> DeviceEngines:
        fallback = parameters.fallback_extractor
        engines = make_engines(
            extractor,
            tuple(dict.fromkeys(parameters.device_of.values())),
            num_threads=parameters.num_threads,
            fallback=read_model(fallback) if fallback else None,
            invoke_timeout_s=parameters.invoke_timeout_s,
            report=self._device_changed,
        )
        self._stack.callback(engines.close)
        self._devices = DeviceWatch(engines, self._status, parameters.device_of)
        self._devices.check()
        path = parameters.extractor or default_extractor_path()
        for device, status in engines.status().items():
            if status.device:
                self._log.info(f'extractor {path} runs on {status.device} by {status.runtime}')
            if note := engines[device].note:
                self._log.warning(sentence(note))
        self._status.update(extractor=engines.description.identity)
        return engines

    def _make_workers(
        self,
        engines: DeviceEngines,
        served: LoadedModel | None,
        device_of: Mapping[str, str],
    ) -> FrameWorkers:
        workers = {}
        for device, engine in engines.items():
            if served:
                engine.serve(served.prepared[device])
            cameras = [name for name, its_device in device_of.items() if its_device == device]
            workers[device] = FrameWorker(
                engine, served, cameras, self.captures, self._output, self.statistics
            )
        return FrameWorkers(workers, device_of, engines.healthiest)

    def _device_changed(self, device: str, report: str) -> None:
        self._log.warning(about_device(report, device, self._parameters().device_of))
        self.check_devices()

    def _start_serving(self) -> LoadedModel | None:
        passed_over: list[str] = []
        served = self._versions.start(passed_over.append)
        for warning in passed_over:
            self._log.warning(sentence(warning))
        self._status.set_problem(_MODELS_PROBLEM, ' '.join(map(sentence, passed_over)))
        if served:
            self._log.info(f'model version {served.version.version} serves')
        else:
            self._log.info(
                'there is no trained model yet, so nothing is published on ~/classification: '
                'add samples with ~/add_samples, then train with ~/train'
            )
        return served

    def _swapped(self, model: LoadedModel, serving: Choice) -> None:
        self._announcement.announce(model, serving)
        self._status.update(
            model_version=model.version.version,
            model_path=str(model.version.path),
            model_labels=model.labels,
        )

    def _report_samples(self, folder: Path, identity: str) -> None:
        try:
            counts = self._store.counts(extractor=identity)
            others = self._store.unembedded(extractor=identity)
        except StoreError as error:
            # Without its samples a robot cannot learn, but it can go on with what it knows.
            self._log.error(sentence(error))
            self._status.set_problem(_SAMPLES_PROBLEM, sentence(error))
            return
        self._status.update(counts=counts)
        self._log.info(f'{sum(counts.values())} samples in {folder}')
        if others.samples:
            self._log.warning(
                f'{others.samples} samples of other extractors are kept, but not used; '
                f'~/reembed_samples can embed those {others.with_image} again whose picture is '
                'stored'
            )
