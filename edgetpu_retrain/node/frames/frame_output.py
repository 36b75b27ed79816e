# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FrameOutput: where the results of the frame workers go."""

from __future__ import annotations

from collections.abc import Sequence

from edgetpu_retrain.errors import ImageError, RetrainError
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.node.cameras.detections import BoxClassification
from edgetpu_retrain.node.classifications.publishers import ClassificationPublishers
from edgetpu_retrain.node.frames.captures import Capture, Captures
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.health.fault_counter import FaultCounter
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.samples.sample_thread import SampleThread
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from rclpy.node import Node


class FrameOutput:
    """
    Publishes classifications, stores captured samples and logs faults, from the workers' threads.

    Args:
        node: logs.
        publishers: the publishers of classifications.
        samples: stores captured samples.
        captures: the pending requests.
    """

    def __init__(
        self,
        node: Node,
        publishers: ClassificationPublishers,
        samples: SampleThread,
        captures: Captures,
    ) -> None:
        self._node = node
        self._publishers = publishers
        self._samples = samples
        self._captures = captures
        self._unusable = FaultCounter('unusable image', self._log_error)
        self._lost = FaultCounter('frame lost', self._log_error)
        self._empty = FaultCounter('boxes skipped', lambda text: node.get_logger().warning(text))

    def publish_classification(
        self, frame: Frame, model: LoadedModel, scores: FloatArray, embedding: RawArray
    ) -> None:
        """Publish a frame's scores, float32 ``[C]``, given its raw embedding ``[D]``."""
        if self._node.context.ok():
            self._publishers.publish_classification(frame, model, scores, embedding)

    def wants_embeddings(self) -> bool:
        """Return whether ``~/embedding`` has subscribers."""
        return self._node.context.ok() and self._publishers.wants_embeddings()

    def publish_embedding(self, frame: Frame, embedding: RawArray) -> None:
        """Publish a frame's raw embedding ``[D]``."""
        if self._node.context.ok():
            self._publishers.publish_embedding(frame, embedding)

    def publish_detections(
        self, frame: Frame, model: LoadedModel, boxes: Sequence[BoxClassification], skipped: int
    ) -> None:
        """Publish the classified boxes of a frame; log how many of them were empty."""
        if self._node.context.ok():
            self._publishers.publish_detections(frame, model, boxes)
        if skipped:
            width, height = frame.size
            reason = (
                f'{skipped} of {skipped + len(boxes)} have no pixel in the image of '
                f'{width}x{height} pixels: boxes are in pixels of the whole image'
            )
            self._empty.add(frame.camera, reason)

    def store_sample(
        self, capture: Capture, frame: Frame, rgb: RgbArray, embedding: RawArray
    ) -> None:
        """Store the picture and raw embedding ``[D]`` of a frame that a request has claimed."""
        self._samples.add_captured(self._captures, capture, frame, rgb, embedding)

    def log_fault(self, frame: Frame, error: Exception) -> None:
        """Log why a frame was not classified, at most once a second."""
        if isinstance(error, ImageError):
            self._unusable.add(frame.camera, str(error))
        else:
            reason = str(error) if isinstance(error, RetrainError) else repr(error)
            self._lost.add(frame.camera, reason)

    def latest_fault(self, camera: str) -> str:
        """Return the faults of a camera's frames since the last call, or ``''``."""
        faults = [counter.latest(camera) for counter in (self._unusable, self._lost)]
        return '; '.join(filter(None, faults))

    def _log_error(self, text: str) -> None:
        self._node.get_logger().error(text)
