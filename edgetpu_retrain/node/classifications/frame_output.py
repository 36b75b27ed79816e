# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FrameOutput: publishes the results of frames, and logs faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
import math
from typing import Any

from edgetpu_retrain.errors import ImageError, in_words
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.node.cameras.detections import BoxClassification
from edgetpu_retrain.node.classifications.annotated_pictures import AnnotatedPictures
from edgetpu_retrain.node.classifications.message import classification_message, detection_message
from edgetpu_retrain.node.classifications.smoothing import Smoothing
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.health.fault_counter import FaultCounter
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.parameters.values import NodeParameters
from edgetpu_retrain.node.questions.doubt import doubt
from edgetpu_retrain.node.questions.question_collector import QuestionCollector
from edgetpu_retrain.pictures.annotation import Annotation
from edgetpu_retrain.runtime.models.prediction import predict, Prediction
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain_interfaces.msg import Embedding, Result
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from vision_msgs.msg import Classification, Detection2DArray

_DEPTH = 10


class FrameOutput:
    """
    Publishes the results of frames; called by the frame workers in their threads.

    The topics are ``~/result``, ``~/classification`` and ``~/embedding``, and for each camera
    ``~/<camera>/classification``, ``~/<camera>/annotated/compressed`` and, if it has detections,
    ``~/<camera>/detections``.

    Args:
        node: creates the publishers.
        description: the extractor's input and output.
        parameters: returns the node's current parameters.
        questions: receives the classified frames, which may become questions.
    """

    def __init__(
        self,
        node: Node,
        description: ModelDescription,
        parameters: Callable[[], NodeParameters],
        questions: QuestionCollector,
    ) -> None:
        self._node = node
        self._description = description
        self._parameters = parameters
        self._questions = questions
        self._faults = FaultCounter(lambda text: node.get_logger().error(text))
        self._warnings = FaultCounter(lambda text: node.get_logger().warning(text))
        self._stack = ExitStack()
        self._result = self._create(Result, '~/result')
        self._classification = self._create(Classification, '~/classification')
        self._embedding = self._create(Embedding, '~/embedding')
        cameras = parameters().camera_names
        self._camera_classifications = {
            name: self._create(Classification, f'~/{name}/classification') for name in cameras
        }
        self._detections = {
            camera.name: self._create(Detection2DArray, f'~/{camera.name}/detections')
            for camera in parameters().cameras
            if camera.detections_topic
        }
        self._annotated = AnnotatedPictures(node, cameras)
        self._stack.callback(self._annotated.close)
        # Each object is used only by the thread that publishes the classifications of its camera.
        self._smoothing = {name: Smoothing() for name in cameras}

    def close(self) -> None:
        """Stop drawing, and destroy the publishers."""
        self._stack.close()

    def publish_classification(
        self, frame: Frame, model: LoadedModel, scores: FloatArray, embedding: RawArray
    ) -> None:
        """
        Publish the classification of a frame, with the header of its image.

        The frame may also become a question.

        Args:
            frame: the frame.
            model: the model that computed the scores.
            scores: score of each class, float32 ``[C]``.
            embedding: raw embedding ``[D]``.
        """
        parameters = self._parameters()
        prediction, unknown_score = _predict(model, scores, embedding, parameters)
        smoothed = self._smoothing[frame.camera].add(
            prediction,
            model_version=model.version.version,
            frames=parameters.smoothing_frames,
            hysteresis=parameters.smoothing_hysteresis,
        )
        header, most = frame.message.header, parameters.max_results
        single = stable = classification_message(header, model.labels, prediction, most)
        if smoothed is not prediction:
            stable = classification_message(header, model.labels, smoothed, most)
        # publish() would convert the message even without subscribers.
        for publisher in (self._classification, self._camera_classifications[frame.camera]):
            if publisher.get_subscription_count():
                publisher.publish(stable)
        if self._result.get_subscription_count():
            self._result.publish(
                Result(
                    header=header,
                    camera=frame.camera,
                    model_version=model.version.version,
                    unknown=prediction.is_unknown,
                    unknown_score=unknown_score,
                    unknown_threshold=model.unknown.threshold,
                    classification=single,
                    smoothed=stable,
                )
            )
        first, version = stable.results[0], model.version.version
        annotation = Annotation(first.class_id, first.score, smoothed.is_unknown, version)
        self._annotated.add(frame, annotation)
        if parameters.max_questions and self._questions.is_due('unknown'):
            why = doubt(
                scores,
                unlike_all=unknown_score > model.unknown.threshold,
                unknown_below=parameters.unknown_below,
                background=prediction.background,
            )
            most = parameters.max_questions
            self._questions.offer(frame, model, why, single.results, embedding, most)

    def publish_detections(
        self, frame: Frame, model: LoadedModel, boxes: Sequence[BoxClassification], skipped: int
    ) -> None:
        """
        Publish the classified boxes of a frame, with the detector's header, boxes and ids.

        Args:
            frame: the frame.
            model: the model that computed the scores.
            boxes: the classified boxes.
            skipped: number of boxes without a pixel in the image, which were not classified.
        """
        parameters = self._parameters()
        message = Detection2DArray(header=frame.detections.header)
        message.detections = [
            detection_message(
                box.detection,
                model.labels,
                _predict(model, box.scores, box.embedding, parameters)[0],
                parameters.max_results,
            )
            for box in boxes
        ]
        self._detections[frame.camera].publish(message)
        if skipped:
            width, height = frame.size
            reason = (
                f'{skipped} of {skipped + len(boxes)} have no pixel in the image of '
                f'{width}x{height} pixels: boxes are in pixels of the whole image'
            )
            self._warnings.add(frame.camera, 'boxes skipped', reason)

    def wants_embeddings(self) -> bool:
        """Return whether ``~/embedding`` has subscribers."""
        return bool(self._embedding.get_subscription_count())

    def publish_embedding(self, frame: Frame, embedding: RawArray) -> None:
        """Publish the raw embedding ``[D]`` of a frame on ``~/embedding``."""
        quantization = self._description.quantization
        kind = EmbeddingKind.from_embedding(embedding, quantization)
        message: Any = Embedding(
            header=frame.message.header,
            camera=frame.camera,
            extractor=self._description.identity,
            dtype=kind.dtype,
            scale=quantization.scale if quantization else 0.0,
            zero_point=quantization.zero_point if quantization else 0,
        )
        message.data = kind.to_disk(embedding)
        self._embedding.publish(message)

    def log_fault(self, frame: Frame, error: Exception) -> None:
        """Log why a frame was not classified, and count the fault."""
        kind = 'unusable image' if isinstance(error, ImageError) else 'frame lost'
        # After a signal has shut ROS down, publishing fails; that is not a fault.
        if self._node.context.ok():
            self._faults.add(frame.camera, kind, in_words(error))

    def good_frame(self, frame: Frame) -> None:
        """Record that a frame had no fault, so that earlier faults of its camera can end."""
        self._faults.good_frame(frame.camera)

    def latest_fault(self, camera: str, since: float = math.inf) -> str:
        """Return the latest faults of a camera; see :meth:`FaultCounter.latest`."""
        return self._faults.latest(camera, since)

    def _create(self, kind: type, topic: str) -> Publisher:
        publisher = self._node.create_publisher(kind, topic, QoSProfile(depth=_DEPTH))
        self._stack.callback(self._node.destroy_publisher, publisher)
        return publisher


def _predict(
    model: LoadedModel, scores: FloatArray, embedding: RawArray, parameters: NodeParameters
) -> tuple[Prediction, float]:
    """Return the prediction and the unknown detector's score, NaN without a detector."""
    unknown_score = model.unknown.unknown_score(embedding)
    prediction = predict(
        scores,
        model.labels,
        # Without an unknown detector, the score is NaN and the comparison false.
        unlike_all=unknown_score > model.unknown.threshold,
        unknown_below=parameters.unknown_below,
        background_label=parameters.background_label,
    )
    return prediction, unknown_score
