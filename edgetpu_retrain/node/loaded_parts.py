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
"""LoadedParts: what 'configure' loads and 'cleanup' lets go."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
import gc
from pathlib import Path

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.node.active_parts import ActiveParts
from edgetpu_retrain.node.answer_publishers import AnswerPublishers
from edgetpu_retrain.node.captures import Captures
from edgetpu_retrain.node.frame_events import NodeFrameEvents
from edgetpu_retrain.node.frame_statistics import FrameStatistics
from edgetpu_retrain.node.frame_worker import FrameWorker
from edgetpu_retrain.node.model_announcement import ModelAnnouncement
from edgetpu_retrain.node.model_training import ModelTraining
from edgetpu_retrain.node.model_versions import ModelVersions
from edgetpu_retrain.node.node_status import NodeStatus
from edgetpu_retrain.node.parameters import NodeParameters
from edgetpu_retrain.node.sample_thread import SampleThread
from edgetpu_retrain.node.served_model import ServedModel
from edgetpu_retrain.node.service_answers import DEACTIVATED
from edgetpu_retrain.node.wording import sentence
from edgetpu_retrain.runtime.engine import Engine, EngineStatus
from edgetpu_retrain.runtime.engine_choice import make_engine
from edgetpu_retrain.store.data_folder import data_folder
from edgetpu_retrain.store.models import ModelStore
from edgetpu_retrain.store.ownership import Ownership
from edgetpu_retrain.store.retrying_samples import RetryingSampleStore
from edgetpu_retrain.store.serving import Serving
from rclpy.node import Node

SAMPLES_FILE = 'samples.db'
MODELS_FOLDER = 'models'

_DEVICE_PROBLEM = 'device'
_MODELS_PROBLEM = 'models'
_SAMPLES_PROBLEM = 'samples'


class LoadedParts:
    """
    Models, files and the threads that work with them.

    Args:
        node: publishes and logs.
        status: is told what was loaded.
        parameters: answers the present values of the node's parameters.

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
        self._engine: Engine | None = None
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

    def check_device(self) -> EngineStatus | None:
        """Tell how the device is, and let one that failed be tried again when it is time to."""
        # A device may fail before the engine on it is made.
        if self._engine is None:
            return None
        self._engine.retry_if_due()
        engine = self._engine.status()
        self._status.update(device=engine.device, runtime=engine.runtime)
        self._status.problem(_DEVICE_PROBLEM, engine.problem and sentence(engine.problem))
        return engine

    def latest_fault(self, camera: str) -> str:
        """Return what was wrong with a camera's frames since this was last asked, or ''."""
        return self._events.latest_fault(camera)

    def start(self) -> None:
        """Begin to take frames and requests."""
        self.worker.start()

    def stop(self) -> None:
        """Take no frames and requests any more; those that wait are told."""
        self.captures.end_all(RequestError(DEACTIVATED))
        self.worker.stop()

    def active(self, topics: dict[str, str]) -> ActiveParts:
        """Return what requests work with, given each camera's topic."""
        return ActiveParts(
            parameters=self._parameters,
            topics=topics,
            captures=self.captures,
            worker=self.worker,
            store=self._store,
            samples=self._samples,
            versions=self._versions,
            training=self._training,
        )

    def _load(self) -> None:
        parameters = self._parameters()
        folder = data_folder(parameters.data_dir)
        self._stack.enter_context(Ownership(folder))
        self._store = self._stack.enter_context(RetryingSampleStore(folder / SAMPLES_FILE))
        models = ModelStore(folder / MODELS_FOLDER)
        extractor = read_model(Path(parameters.extractor or default_extractor_path()))
        self._engine = engine = self._make_engine(extractor, parameters)
        identity = engine.description.identity
        publishers = AnswerPublishers(self._node, engine.description, self._parameters)
        self._stack.callback(publishers.close)
        self._announcement = ModelAnnouncement(self._node)
        self._stack.callback(self._announcement.close)
        self._samples = SampleThread(
            self._store,
            engine.description,
            lambda: self._parameters().store_images,
            lambda counts: self._status.update(counts=counts),
            lambda problem: self._status.problem(_SAMPLES_PROBLEM, problem),
        )
        self._stack.callback(self._samples.close)
        self._versions = ModelVersions(models, identity, engine.prepare, self._swapped)
        served = self._start_serving(engine)
        self.captures = Captures()
        self.statistics = FrameStatistics(parameters.camera_names)
        self._events = events = NodeFrameEvents(
            self._node, publishers, self._samples, self.captures
        )
        self.worker = FrameWorker(
            engine, served, parameters.camera_names, self.captures, events, self.statistics
        )
        self._stack.callback(self.worker.stop)
        self._versions.swap_with(self.worker.serve)
        self._training = ModelTraining(
            self._store,
            models,
            extractor,
            identity,
            engine.prepare,
            self._versions.swap,
            lambda: self._versions.prune(self._parameters().keep_models),
        )
        self._tell_samples(folder, identity)

    def _make_engine(self, extractor: bytes, parameters: NodeParameters) -> Engine:
        fallback = parameters.fallback_extractor
        engine = make_engine(
            extractor,
            device=parameters.device,
            num_threads=parameters.num_threads,
            fallback=read_model(fallback) if fallback else None,
            invoke_timeout_s=parameters.invoke_timeout_s,
            report=self._device_changed,
        )
        self._stack.callback(engine.close)
        status = engine.status()
        path = parameters.extractor or default_extractor_path()
        self._log.info(f'extractor {path} runs on {status.device} by {status.runtime}')
        if engine.note:
            self._log.warning(sentence(engine.note))
        self._status.update(
            device=status.device,
            runtime=status.runtime,
            extractor=engine.description.identity,
        )
        return engine

    def _device_changed(self, report: str) -> None:
        self._log.warning(sentence(report))
        self.check_device()

    def _start_serving(self, engine: Engine) -> ServedModel | None:
        passed_over: list[str] = []
        served = self._versions.start(passed_over.append)
        for warning in passed_over:
            self._log.warning(sentence(warning))
        self._status.problem(_MODELS_PROBLEM, ' '.join(map(sentence, passed_over)))
        if served:
            engine.serve(served.servable)
            self._log.info(f'model version {served.version.version} serves')
        else:
            self._log.info(
                'there is no trained model yet, so nothing is published on ~/classification: '
                'add samples with ~/add_samples, then train with ~/train'
            )
        return served

    def _swapped(self, model: ServedModel, serving: Serving) -> None:
        self._announcement.announce(model, serving)
        self._status.update(
            model_version=model.version.version,
            model_path=str(model.version.path),
            model_labels=model.labels,
        )

    def _tell_samples(self, folder: Path, identity: str) -> None:
        try:
            counts = self._store.counts(extractor=identity)
            others = self._store.unembedded(extractor=identity)
        except StoreError as error:
            # Without its samples a robot cannot learn, but it can go on with what it knows.
            self._log.error(sentence(error))
            self._status.problem(_SAMPLES_PROBLEM, sentence(error))
            return
        self._status.update(counts=counts)
        self._log.info(f'{sum(counts.values())} samples in {folder}')
        if others.samples:
            self._log.warning(
                f'{others.samples} samples of other extractors are kept, but not used; '
                f'~/reembed_samples can embed those {others.with_image} again whose picture is '
                'stored'
            )
