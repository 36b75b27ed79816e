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
"""The node: wires cameras, worker, samples and training to each other and to ROS."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
import time
from typing import Any

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.learning.head import FloatArray
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.node.camera import Camera
from edgetpu_retrain.node.captures import Capture, Captures
from edgetpu_retrain.node.classification_message import classification_message
from edgetpu_retrain.node.fault_counter import FaultCounter
from edgetpu_retrain.node.frame_worker import FrameWorker
from edgetpu_retrain.node.model_training import ModelTraining, newest_servable
from edgetpu_retrain.node.newest_frames import Frame
from edgetpu_retrain.node.parameter_declaration import declare_parameters, read_parameters
from edgetpu_retrain.node.parameters import NodeParameters
from edgetpu_retrain.node.sample_services import SampleServices
from edgetpu_retrain.node.sample_thread import SampleThread
from edgetpu_retrain.node.training_action import TrainingAction
from edgetpu_retrain.node.wording import sentence
from edgetpu_retrain.runtime.classifier import Classifier
from edgetpu_retrain.runtime.extractor import Extractor
from edgetpu_retrain.store.data_folder import data_folder
from edgetpu_retrain.store.embedding_kind import RawArray
from edgetpu_retrain.store.models import ModelStore
from edgetpu_retrain.store.samples import SampleStore
from rclpy.node import Node
from rclpy.qos import QoSProfile
from vision_msgs.msg import Classification

SAMPLES_FILE = 'samples.db'
MODELS_FOLDER = 'models'

_WATCH_PERIOD_S = 1.0


class RetrainNode:
    """
    Classifies what its cameras see, and learns new classes meanwhile.

    It has a ROS node rather than being one, because a subclass would share its private names
    with every release of rclpy.  It is the ``FrameEvents`` of its worker: the methods
    :meth:`classified`, :meth:`captured`, :meth:`unusable` and :meth:`failed` are called from
    the worker's thread.

    Args:
        node: a fresh one; it stays its maker's to destroy.

    Raises:
        RetrainError, FileNotFoundError: when it cannot start; the message says what to change.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._log = node.get_logger()
        self._parameters: NodeParameters = declare_parameters(node)
        # What is to be ended, in the order in which it began.
        self._parts = ExitStack()
        self._unusable = FaultCounter('unusable image')
        self._lost = FaultCounter('frame lost')
        self._captures = Captures()
        try:
            self._load()
            self._open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Cancel a training that runs, end all threads and close the files."""
        self._parts.close()

    # What a lifecycle calls 'configure': models and files, no topic yet.

    def _load(self) -> None:
        parameters = self._parameters
        path = Path(parameters.extractor or default_extractor_path())
        extractor = Extractor(
            read_model(path), device=parameters.device, num_threads=parameters.num_threads
        )
        loaded = extractor.loaded
        self._log.info(f'extractor {path} runs on {loaded.device} by {loaded.runtime}')
        if loaded.note:
            self._log.warning(sentence(loaded.note))
        folder = data_folder(parameters.data_dir)
        store = self._parts.enter_context(SampleStore(folder / SAMPLES_FILE))
        models = ModelStore(folder / MODELS_FOLDER)
        identity = extractor.description.identity
        stored = newest_servable(models, identity, self._classifier, self._log.warning)
        self._samples = SampleThread(store, extractor.description)
        self._parts.callback(self._samples.close)
        self._worker = FrameWorker(
            stored.classifier if stored else extractor,
            parameters.camera_names,
            self._captures,
            self,
        )
        self._parts.callback(self._worker.stop)
        self._training = ModelTraining(
            store,
            models,
            extractor.model,
            identity,
            self._classifier,
            self._worker.serve,
        )
        total = sum(store.counts(extractor=identity).values())
        self._log.info(f'{total} samples in {folder}')
        if stored:
            self._log.info(f'model version {stored.version.version} serves')
        else:
            self._log.info(
                'there is no trained model yet, so nothing is published on ~/classification: '
                'add samples with ~/add_samples, then train with ~/train'
            )

    def _classifier(self, model: bytes) -> Classifier:
        return Classifier(
            model, device=self._parameters.device, num_threads=self._parameters.num_threads
        )

    # What a lifecycle calls 'activate': everything that others on the graph see.

    def _open(self) -> None:
        self._publisher = self._node.create_publisher(
            Classification, '~/classification', QoSProfile(depth=10)
        )
        self._cameras = [
            Camera(self._node, parameters, self._worker.offer)
            for parameters in self._parameters.cameras
        ]
        topics = {camera.name: camera.topic for camera in self._cameras}
        for name, topic in topics.items():
            self._log.info(f'camera {name!r} reads {topic}')
        if len(set(topics.values())) < len(topics):
            self._log.warning('several cameras read the same topic: set <name>.image_topic')
        SampleServices(
            self._node,
            self._samples,
            self._captures,
            self._worker.embed,
            topics,
            lambda: self._parameters,
        )
        action = TrainingAction(self._node, self._training, lambda: self._parameters)
        self._parts.callback(action.close)
        self._node.create_timer(_WATCH_PERIOD_S, self._watch)
        self._node.add_post_set_parameters_callback(self._reread_parameters)
        self._worker.start()
        self._log.info('ready')

    def _reread_parameters(self, _changed: list[Any]) -> None:
        self._parameters = read_parameters(self._node)

    def _watch(self) -> None:
        for camera in self._cameras:
            if silence := camera.check_silence():
                self._log.warning(silence)

    # FrameEvents

    def classified(self, frame: Frame, labels: tuple[str, ...], scores: FloatArray) -> None:
        """Publish a classification with the source image's header."""
        if self._node.context.ok():
            message = classification_message(
                frame.message.header, labels, scores, self._parameters.max_results
            )
            self._publisher.publish(message)

    def captured(self, capture: Capture, frame: Frame, embedding: RawArray) -> None:
        """Pass a sample on to the thread that stores it."""
        self._samples.add_captured(self._captures, capture, frame, embedding)

    def unusable(self, frame: Frame, error: ImageError) -> None:
        """Count a malformed image, and say so at most once a second."""
        report = self._unusable.add(frame.camera, str(error), time.monotonic())
        if report:
            self._log.error(report)

    def failed(self, frame: Frame, error: Exception) -> None:
        """Count a frame that was lost to a failure, and say so at most once a second."""
        report = self._lost.add(frame.camera, repr(error), time.monotonic())
        if report:
            self._log.error(report)
