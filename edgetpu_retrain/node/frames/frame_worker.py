# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The one thread that owns the interpreter: every pass of the backbone happens here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
import threading
import time
from typing import Protocol, TypeVar

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.node.cameras.detections import BoxAnswer, boxes_within
from edgetpu_retrain.node.frames.answering import Answering
from edgetpu_retrain.node.frames.captures import Capture, Captures
from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics
from edgetpu_retrain.node.frames.job import Job
from edgetpu_retrain.node.frames.newest_frames import Frame, NewestFrames
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.process.kept_memory import keep_memory_of_images
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.runtime.engines.engine import Engine, PreparedModel
from edgetpu_retrain.store.samples.embedding_kind import RawArray

Result = TypeVar('Result')


class FrameEvents(Protocol):
    """What the worker tells and asks the node, from its own threads, one at a time."""

    def classified(
        self, frame: Frame, model: LoadedModel, scores: FloatArray, embedding: RawArray
    ) -> None:
        """Tell a model's scores, float32 ``[C]``, of a frame, and its raw embedding ``[D]``."""

    def wants_embeddings(self) -> bool:
        """Tell whether :meth:`embedded` is to be called at all."""

    def embedded(self, frame: Frame, embedding: RawArray) -> None:
        """Tell the raw embedding ``[D]`` of a frame."""

    def captured(self, capture: Capture, frame: Frame, rgb: RgbArray, embedding: RawArray) -> None:
        """Tell the picture and raw embedding ``[D]`` of a frame that a request has claimed."""

    def not_captured(self, capture: Capture, error: Exception) -> None:
        """Tell why a frame that a request has claimed cannot become a sample."""

    def detected(
        self, frame: Frame, model: LoadedModel, answers: Sequence[BoxAnswer], skipped: int
    ) -> None:
        """Tell what a model says of the boxes in a frame, and how many of them are empty."""

    def unusable(self, frame: Frame, error: ImageError) -> None:
        """Tell that a frame holds no picture."""

    def failed(self, frame: Frame, error: Exception) -> None:
        """Tell that a frame was lost because something broke."""


class FrameWorker:
    """
    Serves the newest frames of all cameras, one pass of the backbone each.

    The same pass answers the classification, whoever listens to embeddings, and all pending
    captures; only a capture of another region than the frame's own costs one more.  While there
    is nothing to classify with and nobody wants embeddings, frames are only checked.

    Args:
        engine: runs the frames.
        model: what the engine serves already, None before the first training.
        cameras: names of the cameras.
        captures: the pending requests for samples.
        events: is told what happens.
        statistics: is told how many frames came and how long they took.
    """

    def __init__(
        self,
        engine: Engine,
        model: LoadedModel | None,
        cameras: Iterable[str],
        captures: Captures,
        events: FrameEvents,
        statistics: FrameStatistics,
    ) -> None:
        self._engine = engine
        self._model = model
        self._captures = captures
        self._events = events
        self._statistics = statistics
        self._answering = Answering()
        self._frames = NewestFrames(cameras)
        self._jobs: deque[Job] = deque()
        self._stopping = True
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work; it can be stopped and started again."""
        self._stopping = False
        self._answering.start()
        self._thread = threading.Thread(target=self._work, name='frames', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the frame in hand; jobs that did not begin are cancelled."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._answering.stop()
        while self._jobs:
            self._jobs.popleft().done.cancel()
        self._frames.clear()

    def offer(self, frame: Frame) -> None:
        """Hand over a camera's newest frame; never waits for inference."""
        with self._changed:
            dropped = self._frames.put(frame)
            self._changed.notify()
        if frame.detections is None:
            self._statistics.count(frame.camera, 'received')
        if dropped:
            self._statistics.count(frame.camera, _count_of(frame, 'dropped'))

    def embed(self, rgb: RgbArray) -> Future[RawArray]:
        """Return the raw embedding ``[D]`` that a picture is going to have."""
        return self._between_frames(lambda: self._embed(rgb))

    def serve(self, model: LoadedModel, prepared: PreparedModel) -> Future[None]:
        """
        Swap models between two frames.

        Args:
            model: the new one.
            prepared: the same, prepared by this worker's engine.

        Returns:
            Ends when all answers of the old one are told and the next frame goes to the new.
        """

        def swap() -> None:
            self._engine.serve(prepared)
            self._model = model

        return self._between_frames(swap)

    def _between_frames(self, function: Callable[[], Result]) -> Future[Result]:
        job = Job(function, Future())
        with self._changed:
            if self._stopping:
                job.done.cancel()
                return job.done
            self._jobs.append(job)
            self._changed.notify()
        return job.done

    def _work(self) -> None:
        while (task := self._next()) is not None:
            self._do(task)

    def _do(self, task: Job | Frame) -> None:
        if isinstance(task, Job):
            # A swap has promised it.
            self._answering.tell()
            task.run()
        else:
            self._serve(task)

    def _next(self) -> Job | Frame | None:
        """Wait for something to do; None means to end."""
        while True:
            with self._changed:
                while not self._stopping:
                    task = self._jobs.popleft() if self._jobs else self._frames.take()
                    if task is not None:
                        return task
                    if self._answering.is_holding:
                        break
                    self._changed.wait()
                else:
                    return None
            self._answering.tell()

    def _serve(self, frame: Frame) -> None:
        try:
            if frame.detections is None:
                self._pass(frame)
            else:
                self._classify_boxes(frame)
        except Exception as error:  # noqa: BLE001 - one frame must not end all that follow
            self._answering.tell()
            self._report(frame, error)

    def _report(self, frame: Frame, error: Exception) -> None:
        if isinstance(error, ImageError):
            self._statistics.count(frame.camera, _count_of(frame, 'unusable'))
            self._events.unusable(frame, error)
        else:
            self._statistics.count(frame.camera, _count_of(frame, 'lost'))
            self._events.failed(frame, error)

    def _pass(self, frame: Frame) -> None:
        started = time.monotonic()
        model, wants_embeddings = self._model, self._events.wants_embeddings()
        if model is None and not wants_embeddings and not self._captures.wants(frame):
            self._answering.tell()
            frame.check()
            return
        frame.check_header()
        rgb = frame.to_rgb()
        keep_memory_of_images(rgb.nbytes)
        converted = time.monotonic()
        answer = self._engine.run(rgb, self._answering.release)
        inferred = time.monotonic()

        def tell() -> None:
            if model is not None and answer.scores is not None:
                self._events.classified(frame, model, answer.scores, answer.embedding)
                published = time.monotonic()
                self._statistics.count(frame.camera, 'classified')
                self._statistics.measured(
                    frame.camera,
                    {
                        'waiting': started - frame.arrived,
                        'conversion': converted - started,
                        'resize': answer.times.resize_s,
                        'inference': answer.times.invoke_s,
                        'publication': published - inferred,
                        'total': published - frame.arrived,
                    },
                )
            if wants_embeddings:
                self._events.embedded(frame, answer.embedding)

        self._hold(frame, tell)
        for capture in self._captures.claim(frame):
            self._capture(capture, frame, rgb, answer.embedding)

    def _hold(self, frame: Frame, tell: Callable[[], None]) -> None:
        def told() -> None:
            try:
                tell()
            except Exception as error:  # noqa: BLE001 - one frame must not end all that follow
                self._report(frame, error)

        self._answering.hold(told)

    def _capture(self, capture: Capture, frame: Frame, rgb: RgbArray, embedding: RawArray) -> None:
        try:
            if capture.region is not None:
                rgb = frame.part_to_rgb(capture.region)
                embedding = self._embed(rgb)
            self._events.captured(capture, frame, rgb, embedding)
        except Exception as error:  # noqa: BLE001 - whoever asked for the sample gets it
            self._events.not_captured(capture, error)

    def _classify_boxes(self, frame: Frame) -> None:
        model = self._model
        if model is None:
            return
        frame.check()
        boxes = boxes_within(frame.detections.detections, *frame.size)
        answers = []
        for box in boxes:
            answer = self._engine.run(frame.part_to_rgb(box.region), self._answering.release)
            if answer.scores is None:
                return
            answers.append(BoxAnswer(box, answer.scores, answer.embedding))
            if not self._serve_between_boxes():
                return
        skipped = len(frame.detections.detections) - len(boxes)
        self._statistics.count(frame.camera, 'boxes classified', len(boxes))
        self._statistics.count(frame.camera, 'boxes skipped', skipped)
        self._hold(frame, lambda: self._events.detected(frame, model, answers, skipped))

    def _serve_between_boxes(self) -> bool:
        """Let no camera wait for the many boxes of another; False means to end."""
        with self._changed:
            if self._stopping:
                return False
            task = self._jobs.popleft() if self._jobs else self._frames.take(detections=False)
        if task is not None:
            self._do(task)
        return True

    def _embed(self, rgb: RgbArray) -> RawArray:
        return self._engine.run(rgb).embedding


def _count_of(frame: Frame, what: str) -> str:
    """Return under which name it is counted what became of a frame."""
    if frame.detections is None:
        return what
    return 'detections dropped' if what == 'dropped' else 'detections lost'
