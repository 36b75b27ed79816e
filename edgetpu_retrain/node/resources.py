# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""NodeResources: the resources that 'configure' acquires and 'cleanup' releases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
import gc
import math
from pathlib import Path

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.extractors.near_copies import min_novelty_of
from edgetpu_retrain.model_file.description import describe, ModelDescription
from edgetpu_retrain.model_file.extractor_file import make_extractor
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.node.classifications.frame_output import FrameOutput
from edgetpu_retrain.node.frames.captures import Captures
from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics
from edgetpu_retrain.node.frames.frame_worker import FrameWorker
from edgetpu_retrain.node.frames.frame_workers import FrameWorkers
from edgetpu_retrain.node.health.device_watch import about_device, DeviceFacts, DeviceWatch
from edgetpu_retrain.node.health.diagnostics import all_problems
from edgetpu_retrain.node.health.status import NodeStatus
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.models.model_announcement import ModelAnnouncement
from edgetpu_retrain.node.models.model_versions import ModelVersions
from edgetpu_retrain.node.parameters.values import NodeParameters
from edgetpu_retrain.node.questions.question_collector import QuestionCollector
from edgetpu_retrain.node.requests.responses import DEACTIVATED
from edgetpu_retrain.node.samples.damage_watch import DamageWatch
from edgetpu_retrain.node.samples.sample_thread import SampleThread
from edgetpu_retrain.node.samples.simulated_time import simulated_time
from edgetpu_retrain.runtime.engines.device_engines import DeviceEngines, make_engines
from edgetpu_retrain.store.files.data_folder import (
    data_folder,
    default_folder,
    DEFAULT_NODE,
    MODELS_FOLDER,
    SAMPLES_FILE,
)
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.store.files.ownership import Ownership
from edgetpu_retrain.store.files.regular_file import exists
from edgetpu_retrain.store.files.unowned_samples import has_unowned_samples
from edgetpu_retrain.store.models.choice_file import Choice
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.questions.asking import Asking
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.known_extractors import has_used
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.wording import presentable, sentence
from rclpy.node import Node

_DAMAGE_PROBLEM = 'damage'
_MODELS_PROBLEM = 'models'
_SAMPLES_PROBLEM = 'samples'


class NodeResources:
    """
    The data folder, models, devices and threads of a configured node.

    The services and the action use the public attributes while the node is active.

    Args:
        node: creates the publishers.
        status: reports the loaded extractor and model, the numbers of samples, and problems.
        parameters: the values of the node's parameters; when parameters change while the node is
            configured, assign the new values to the attribute ``parameters``.

    Raises:
        RetrainError, FileNotFoundError: if something cannot be loaded; everything acquired so far
            is released.
    """

    def __init__(self, node: Node, status: NodeStatus, parameters: NodeParameters) -> None:
        self._node = node
        self._log = node.get_logger()
        self._status = status
        self.parameters = parameters
        self.topics: dict[str, str] = {}
        """The image topic of each open camera, by camera name."""
        self._devices: DeviceWatch | None = None
        # Releases the resources in reverse order of their acquisition.
        self._stack = ExitStack()
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop the threads, close the files and release the devices."""
        self._stack.close()
        # An interpreter in a reference cycle keeps its device open until the cycle is collected.
        gc.collect()

    def check_devices(self) -> tuple[DeviceFacts, ...]:
        """Retry failed devices whose retry is due; return the state of each device."""
        # An engine can report a failure before all engines are created.
        if self._devices is None:
            return ()
        return self._devices.check(self.parameters.device_of)

    def camera_problem(self, camera: str, since: float = math.inf) -> str:
        """
        Return all problems of a camera, its latest faults included, as sentences; '' = none.

        Args:
            camera: name of the camera.
            since: see :meth:`fault_of`.
        """
        return all_problems(self._status.facts, camera, self.fault_of(camera, since))

    def camera_problems(self) -> str:
        """Return the problems of all cameras as sentences; '' = none."""
        names = self.parameters.camera_names
        return ' '.join(filter(None, map(self.camera_problem, names)))

    def fault_of(self, camera: str, since: float = math.inf) -> str:
        """
        Return the latest faults of a camera as a sentence; '' = none.

        Args:
            camera: name of the camera.
            since: faults since this time are included even if they are over; seconds of
                :func:`time.monotonic`.
        """
        fault = self.output.latest_fault(camera, since)
        return sentence(f'camera {camera!r}: {fault}') if fault else ''

    def stop(self) -> None:
        """
        Stop the frame workers and the check of the database, and checkpoint the database.

        Pending captures fail.
        """
        self.captures.end_all(RequestError(DEACTIVATED))
        self.workers.stop()
        self.damage.stop()
        self.samples.checkpoint()

    def _load(self) -> None:
        parameters = self.parameters
        folder = self._data_folder(parameters.data_dir)
        owner = self._stack.enter_context(Ownership(folder))
        self.store = self._stack.enter_context(
            SampleStore(
                folder / SAMPLES_FILE,
                must_open=False,
                is_ending=self._is_ending,
                check_folder=owner.check,
            )
        )
        models = ModelStore(
            folder / MODELS_FOLDER, is_ending=self._is_ending, check_folder=owner.check
        )
        self.extractor = self._read_extractor(
            parameters.extractor or default_extractor_path(), parameters, partial(has_used, folder)
        )
        engines = self._make_engines(parameters)
        description = engines.description
        self._announcement = ModelAnnouncement(self._node)
        self._stack.callback(self._announcement.close)
        self.samples = SampleThread(
            self.store,
            description,
            lambda: self.parameters.store_images,
            lambda counts, questions: self._status.update(counts=counts, questions=questions),
            self._report_problem,
        )
        self._stack.callback(self.samples.close)
        self.damage = DamageWatch(self.store.damage_check, self._damage_checked)
        self.versions = ModelVersions(
            models, description.identity, engines.prepare, self._serve, self._swapped
        )
        model = self._load_first_model()
        self.captures = Captures(lambda: simulated_time(self._node))
        self.statistics = FrameStatistics()
        questions = self._make_collector(description)
        self.output = FrameOutput(self._node, description, lambda: self.parameters, questions)
        self._stack.callback(self.output.close)
        self.workers = self._make_workers(engines, model, parameters.device_of)
        self._stack.callback(self.workers.stop)
        self._report_samples(folder, description.identity)

    def _data_folder(self, parameter: str) -> Path:
        name = self._node.get_fully_qualified_name()
        folder = data_folder(parameter, name)
        # Release 0.1 used this folder for all nodes.
        before = default_folder().expanduser()
        with as_store_error('look for samples in', folder):
            is_new = not parameter and not exists(folder / SAMPLES_FILE)
        if is_new and name != DEFAULT_NODE and has_unowned_samples(before):
            text = (
                f'{name} starts without samples, in {folder}. There are samples in {before}, '
                f'which no node uses: to keep them, start it with data_dir:={before}'
            )
            self._log.warning(presentable(text))
        return folder

    def _is_ending(self) -> bool:
        """Return whether a signal has shut ROS down; the store then stops waiting for locks."""
        return not self._node.context.ok()

    def _read_extractor(
        self,
        path: str | Path,
        parameters: NodeParameters,
        has_samples: Callable[[str], bool] = lambda _identity: False,
    ) -> bytes:
        made = make_extractor(read_model(path), parameters.model_choices, has_samples=has_samples)
        for note in made.notes:
            self._log.warning(presentable(f'extractor {path}: {note}'))
        return made.model

    def _make_engines(self, parameters: NodeParameters) -> DeviceEngines:
        fallback = parameters.fallback_extractor
        if fallback and not describe(self.extractor).compiled_for_edgetpu:
            self._log.warning(
                'fallback_extractor is not used: the extractor is not compiled for the Edge TPU'
            )
            fallback = ''
        engines = make_engines(
            self.extractor,
            tuple(dict.fromkeys(parameters.device_of.values())),
            num_threads=parameters.num_threads,
            fallback=self._read_extractor(fallback, parameters) if fallback else None,
            invoke_timeout_s=parameters.invoke_timeout_s,
            report=self._device_changed,
        )
        self._stack.callback(engines.close)
        self._devices = DeviceWatch(engines, self._status)
        self.check_devices()
        for device, status in engines.status().items():
            if status.device:
                path = parameters.extractor or default_extractor_path()
                self._log.info(f'extractor {path} runs on {status.device} by {status.runtime}')
            if note := engines[device].note:
                self._log.warning(sentence(note))
        self._status.update(extractor=engines.description.identity)
        return engines

    def _make_collector(self, description: ModelDescription) -> QuestionCollector:
        kind = EmbeddingKind(
            description.dimension, description.output_dtype, description.quantization
        )
        near = min_novelty_of(0.0, description.identity)
        return QuestionCollector(
            self.samples,
            Asking(self.store, description.identity, kind, near),
            lambda: self.parameters.store_images != 'none',
            lambda camera, why: self._log.warning(
                presentable(f'a frame of camera {camera!r} was not kept as a question: {why}')
            ),
        )

    def _make_workers(
        self, engines: DeviceEngines, model: LoadedModel | None, device_of: Mapping[str, str]
    ) -> FrameWorkers:
        workers = {}
        for device, engine in engines.items():
            if model:
                engine.serve(model.prepared[device])
            workers[device] = FrameWorker(
                engine, model, self.captures, self.samples, self.output, self.statistics
            )
        return FrameWorkers(workers, device_of, engines.healthiest)

    def _device_changed(self, device: str, report: str) -> None:
        self._log.warning(about_device(report, device, self.parameters.device_of))
        self.check_devices()

    def _load_first_model(self) -> LoadedModel | None:
        warnings: list[str] = []
        model = self.versions.start(lambda text: warnings.append(sentence(text)))
        for warning in warnings:
            self._log.warning(warning)
        self._status.set_problem(_MODELS_PROBLEM, ' '.join(warnings))
        self._log.info(
            f'model version {model.version.version} serves'
            if model
            else 'there is no trained model yet, so nothing is published on ~/classification: '
            'add samples with ~/add_samples, then train with ~/train'
        )
        return model

    def _damage_checked(self, is_checking: bool, problem: str) -> None:
        if problem and problem != self._status.facts.problems.get(_DAMAGE_PROBLEM):
            self._log.error(problem)
        self._status.set_problem(_DAMAGE_PROBLEM, problem)
        self._status.update(checking_samples=is_checking)

    def _serve(self, model: LoadedModel) -> None:
        # ModelVersions receives this method before self.workers exists.
        self.workers.serve(model)

    def _swapped(self, model: LoadedModel, choice: Choice) -> None:
        self._announcement.announce(model, choice)
        self._status.update(
            model_version=model.version.version,
            model_path=str(model.version.path),
            model_labels=model.labels,
        )

    def _report_problem(self, problem: str) -> None:
        """Publish a problem of the store ('' = resolved), and log it if it is new."""
        if problem and problem != self._status.facts.problems.get(_SAMPLES_PROBLEM):
            self._log.error(problem)
        self._status.set_problem(_SAMPLES_PROBLEM, problem)

    def _report_samples(self, folder: Path, extractor: str) -> None:
        try:
            counts = self.store.counts(extractor=extractor)
            others = self.store.unembedded(extractor=extractor)
            questions = self.samples.questions.count(extractor=extractor)
        except StoreError as error:
            # The node cannot train without its samples, but it can classify.
            self._log.error(sentence(error))
            self._status.set_problem(_SAMPLES_PROBLEM, sentence(error))
            return
        self._status.update(counts=counts, questions=questions)
        self._log.info(presentable(f'{sum(counts.values())} samples in {folder}'))
        if others.samples:
            self._log.warning(
                f'{others.samples} samples of other extractors are kept, but not used; '
                f'~/reembed_samples can embed those {others.with_image} again whose picture is '
                'stored'
            )
