# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""NodeFrameEvents: what the node does with what its workers tell it."""

from __future__ import annotations

from collections.abc import Sequence

from edgetpu_retrain.errors import ImageError, RetrainError
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.node.cameras.detections import BoxAnswer
from edgetpu_retrain.node.classifications.publishers import AnswerPublishers
from edgetpu_retrain.node.frames.captures import Capture, Captures
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.health.fault_counter import FaultCounter
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.samples.sample_thread import SampleThread
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from rclpy.node import Node


class NodeFrameEvents:
    """
    The ``FrameEvents`` of the node; all methods are called from the workers' threads.

    Args:
        node: logs what goes wrong.
        publishers: of answers.
        samples: stores what was captured.
        captures: the requests it was captured for.
    """

    def __init__(
        self,
        node: Node,
        publishers: AnswerPublishers,
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

    def classified(
        self, frame: Frame, model: LoadedModel, scores: FloatArray, embedding: RawArray
    ) -> None:
        """Publish the answer."""
        if self._node.context.ok():
            self._publishers.classified(frame, model, scores, embedding)

    def wants_embeddings(self) -> bool:
        """Tell whether somebody listens."""
        return self._node.context.ok() and self._publishers.wants_embeddings()

    def embedded(self, frame: Frame, embedding: RawArray) -> None:
        """Publish the embedding."""
        if self._node.context.ok():
            self._publishers.embedded(frame, embedding)

    def captured(self, capture: Capture, frame: Frame, rgb: RgbArray, embedding: RawArray) -> None:
        """Pass a sample on to the thread that stores it."""
        self._samples.add_captured(self._captures, capture, frame, rgb, embedding)

    def not_captured(self, capture: Capture, error: Exception) -> None:
        """Tell whoever asked for the sample."""
        self._captures.settle(capture, 0, error)

    def detected(
        self, frame: Frame, model: LoadedModel, answers: Sequence[BoxAnswer], skipped: int
    ) -> None:
        """Publish the answers; log that boxes are empty, at most once a second."""
        if self._node.context.ok():
            self._publishers.detected(frame, model, answers)
        if skipped:
            width, height = frame.size
            reason = (
                f'{skipped} of {skipped + len(answers)} have no pixel in the image of '
                f'{width}x{height} pixels: boxes are in pixels of the whole image'
            )
            self._empty.add(frame.camera, reason)

    def unusable(self, frame: Frame, error: ImageError) -> None:
        """Log that an image is malformed, at most once a second."""
        self._unusable.add(frame.camera, str(error))

    def failed(self, frame: Frame, error: Exception) -> None:
        """Log that a frame was lost to a failure, at most once a second."""
        reason = str(error) if isinstance(error, RetrainError) else repr(error)
        self._lost.add(frame.camera, reason)

    def latest_fault(self, camera: str) -> str:
        """Return what was wrong with a camera's frames since this was last asked, or ''."""
        faults = [counter.latest(camera) for counter in (self._unusable, self._lost)]
        return '; '.join(filter(None, faults))

    def _log_error(self, text: str) -> None:
        self._node.get_logger().error(text)
