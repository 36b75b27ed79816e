# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The topics on which answers about frames leave the node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.node.cameras.detections import BoxClassification
from edgetpu_retrain.node.classifications.annotated_pictures import AnnotatedPictures
from edgetpu_retrain.node.classifications.message import (
    classification_message,
    detection_message,
)
from edgetpu_retrain.node.classifications.smoothing import (
    Opinion,
    opinion_of_frame,
    Smoothing,
    UNKNOWN_CLASS,
)
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.parameters.values import NodeParameters
from edgetpu_retrain.pictures.annotation import Annotation
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain_interfaces.msg import Embedding, Result
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from vision_msgs.msg import Classification, Detection2DArray

_DEPTH = 10


class ClassificationPublishers:
    """
    Publishes ``~/result``, ``~/classification``, ``~/embedding``, and those of each camera.

    The latter are ``~/<camera>/classification``, ``~/<camera>/annotated/compressed`` and, where
    the camera has detections, ``~/<camera>/detections``.

    Args:
        node: publishes.
        description: of the extractor.
        parameters: returns the present values of the node's parameters.
    """

    def __init__(
        self,
        node: Node,
        description: ModelDescription,
        parameters: Callable[[], NodeParameters],
    ) -> None:
        self._node = node
        self._description = description
        self._parameters = parameters
        self._stack = ExitStack()
        self._result = self._create(Result, '~/result')
        self._classification = self._create(Classification, '~/classification')
        self._embedding = self._create(Embedding, '~/embedding')
        cameras = parameters().camera_names
        self._of_camera = {
            name: self._create(Classification, f'~/{name}/classification') for name in cameras
        }
        self._detections = {
            camera.name: self._create(Detection2DArray, f'~/{camera.name}/detections')
            for camera in parameters().cameras
            if camera.detections_topic
        }
        self._annotated = AnnotatedPictures(node, cameras)
        self._stack.callback(self._annotated.close)
        # Each touched only by the one thread that serves the camera.
        self._smoothing = {name: Smoothing() for name in cameras}

    def close(self) -> None:
        """Leave the topics."""
        self._stack.close()

    def publish_classification(
        self, frame: Frame, model: LoadedModel, scores: FloatArray, embedding: RawArray
    ) -> None:
        """Publish what a model says of a frame; the header is the source image's."""
        parameters = self._parameters()
        judged = _judge(model, scores, embedding, parameters.unknown_below)
        opinion = judged.opinion
        smoothed = self._smoothing[frame.camera].add(
            opinion,
            model_version=model.version.version,
            frames=parameters.smoothing_frames,
            hysteresis=parameters.smoothing_hysteresis,
        )
        header, most = frame.message.header, parameters.max_results
        alone = classification_message(header, model.labels, opinion, most)
        steady = alone
        if smoothed is not opinion:
            steady = classification_message(header, model.labels, smoothed, most)
        # Building and converting a message for nobody would take as long as one for somebody.
        for publisher in (self._classification, self._of_camera[frame.camera]):
            if publisher.get_subscription_count():
                publisher.publish(steady)
        if self._result.get_subscription_count():
            self._result.publish(
                Result(
                    header=header,
                    camera=frame.camera,
                    model_version=model.version.version,
                    unknown=judged.opinion.best == UNKNOWN_CLASS,
                    unknown_score=judged.unknown_score,
                    unknown_threshold=judged.unknown_threshold,
                    classification=alone,
                    smoothed=steady,
                )
            )
        first = steady.results[0]
        self._annotated.classified(
            frame,
            Annotation(
                label=first.class_id,
                score=first.score,
                unknown=smoothed.best == UNKNOWN_CLASS,
                model_version=model.version.version,
            ),
        )

    def publish_detections(
        self, frame: Frame, model: LoadedModel, boxes: Sequence[BoxClassification]
    ) -> None:
        """Publish what a model says of boxes; header, boxes and ids are the detector's."""
        parameters = self._parameters()
        message = Detection2DArray(header=frame.detections.header)
        message.detections = [
            detection_message(
                box.box.detection,
                model.labels,
                _judge(model, box.scores, box.embedding, parameters.unknown_below).opinion,
                parameters.max_results,
            )
            for box in boxes
        ]
        self._detections[frame.camera].publish(message)

    def wants_embeddings(self) -> bool:
        """Tell whether somebody listens to ``~/embedding``."""
        return bool(self._embedding.get_subscription_count())

    def publish_embedding(self, frame: Frame, embedding: RawArray) -> None:
        """Publish the raw embedding ``[D]`` of a frame."""
        self._embedding.publish(embedding_message(frame, embedding, self._description))

    def _create(self, kind: type, topic: str) -> Publisher:
        publisher = self._node.create_publisher(kind, topic, QoSProfile(depth=_DEPTH))
        self._stack.callback(self._node.destroy_publisher, publisher)
        return publisher


@dataclass(frozen=True, eq=False)
class _Judged:
    """What a model says of one picture, and the numbers that made it 'unknown' or not."""

    opinion: Opinion
    unknown_score: float
    unknown_threshold: float


def _judge(
    model: LoadedModel, scores: FloatArray, embedding: RawArray, unknown_below: float
) -> _Judged:
    score, threshold = model.unknown.unknown_score(embedding), model.unknown.threshold
    # A comparison with 'not a number' is false: a model that cannot tell knows all.
    unknown = score > threshold or float(scores.max()) < unknown_below
    return _Judged(opinion_of_frame(scores, unknown=unknown), score, threshold)


def embedding_message(
    frame: Frame, embedding: RawArray, description: ModelDescription
) -> Embedding:
    """
    Return an embedding as it is published.

    Args:
        frame: which it is of.
        embedding: raw ``[D]``.
        description: of the extractor that wrote it.
    """
    quantization = description.quantization
    kind = EmbeddingKind.from_embedding(embedding, quantization)
    message: Any = Embedding(
        header=frame.message.header,
        camera=frame.camera,
        extractor=description.identity,
        dtype=kind.dtype,
        scale=quantization.scale if quantization else 0.0,
        zero_point=quantization.zero_point if quantization else 0,
    )
    message.data = kind.to_disk(embedding)
    return message
