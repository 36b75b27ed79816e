# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FrameWorker: the thread that runs all inferences of a device."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
import threading
import time
from typing import Any

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.node.cameras.detections import BoxClassification, boxes_within
from edgetpu_retrain.node.classifications.frame_output import FrameOutput
from edgetpu_retrain.node.frames.captures import Capture, Captures
from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics, StageTimes
from edgetpu_retrain.node.frames.newest_frames import Frame, NewestFrames
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.process.kept_memory import keep_memory_of_images
from edgetpu_retrain.node.samples.sample_thread import SampleThread
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.runtime.engines.engine import Engine, Inference, PreparedModel
from edgetpu_retrain.store.samples.embedding_kind import RawArray


class FrameWorker:
    """
    Processes the newest frames of the cameras of one device.

    One inference serves the classification, ``~/embedding`` and all pending captures.  A capture
    with its own region and each detected box need a separate inference.  Without a model,
    detections are ignored, and an image is only checked, unless ``~/embedding`` has subscribers or
    a capture wants the image.

    A second thread publishes the results.  If another frame is waiting, the results are published
    during the inference of that frame, because inference releases the GIL.  Publishing the results
    earlier would delay the conversion of that frame.  The results of at most one frame wait to be
    published, so slow middleware reduces the frame rate but does not fill the memory.

    Args:
        engine: the device's engine.
        model: the model that the engine serves; None if there is none.
        captures: the pending requests for samples.
        samples: stores captured samples.
        output: publishes the results.
        statistics: counts frames, and keeps the durations of their stages.
    """

    def __init__(
        self,
        engine: Engine,
        model: LoadedModel | None,
        captures: Captures,
        samples: SampleThread,
        output: FrameOutput,
        statistics: FrameStatistics,
    ) -> None:
        self._engine = engine
        self._model = model
        self._captures = captures
        self._samples = samples
        self._output = output
        self._statistics = statistics
        self._frames = NewestFrames()
        self._jobs: deque[tuple[Callable[[], None], Future[Any]]] = deque()
        self._stopping = True
        self._changed = threading.Condition()
        self._idle = threading.Event()
        self._idle.set()
        self._thread: threading.Thread | None = None
        self._unpublished: Callable[[], None] | None = None
        self._publication: Future[None] | None = None

    def start(self) -> None:
        """Start the thread; after :meth:`stop`, it can be started again."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name='frames', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """
        Stop the thread after the current image is published; discard all waiting frames.

        A frame whose boxes are being classified is also discarded.  Jobs that have not started are
        cancelled.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        while self._jobs:
            self._jobs.popleft()[1].cancel()
        self._frames.clear()
        self._idle.set()

    def offer(self, frame: Frame) -> None:
        """Accept a camera's newest frame, without waiting for inference."""
        with self._changed:
            dropped = self._frames.put(frame)
            self._idle.clear()
            self._changed.notify()
        if frame.detections is None:
            self._statistics.count(frame.camera, 'received')
        if dropped:
            self._statistics.count(frame.camera, _count_name(frame, 'dropped'))

    def wait_until_idle(self, timeout_s: float) -> bool:
        """
        Wait until no frame is pending or being processed.

        Args:
            timeout_s: timeout, seconds.

        Returns:
            False on timeout.
        """
        return self._idle.wait(timeout_s)

    def embed(self, rgb: RgbArray) -> Future[RawArray]:
        """Embed a picture between two frames; return a future of its raw embedding ``[D]``."""
        return self._between_frames(lambda: self._infer(rgb).embedding)

    def serve(self, model: LoadedModel, prepared: PreparedModel) -> Future[None]:
        """
        Swap models between two frames.

        Args:
            model: the new model.
            prepared: the new model as prepared by this worker's engine.

        Returns:
            A future that is done when the classifications of the old model are published and the
            new model serves; cancelled if the worker stops before that.
        """

        def swap() -> None:
            self._wait_until_published()
            self._engine.serve(prepared)
            self._model = model

        return self._between_frames(swap)

    def _between_frames(self, function: Callable[[], Any]) -> Future[Any]:
        done: Future[Any] = Future()

        def job() -> None:
            if done.set_running_or_notify_cancel():
                try:
                    done.set_result(function())
                except Exception as error:  # noqa: BLE001 - passed on by the future
                    done.set_exception(error)

        with self._changed:
            if self._stopping:
                done.cancel()
            else:
                self._jobs.append((job, done))
                self._changed.notify()
        return done

    def _run(self) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix='publisher') as self._publisher:
            while (task := self._wait_for_task()) is not None:
                task()
                # Drop the reference, so that this thread keeps no image while it waits.
                del task
            self._start_publishing()

    def _wait_for_task(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._stopping:
                if (task := self._next_task()) is not None:
                    return task
                self._start_publishing()
                self._idle.set()
                self._changed.wait()
        return None

    def _next_task(self, *, detections: bool = True) -> Callable[[], None] | None:
        """Return the next job, else a function that processes the next frame; None = no task."""
        if self._jobs:
            return self._jobs.popleft()[0]
        frame = self._frames.take(detections=detections)
        return partial(self._process, frame) if frame is not None else None

    def _process(self, frame: Frame) -> None:
        try:
            (self._process_image if frame.detections is None else self._process_boxes)(frame)
        except Exception as error:  # noqa: BLE001 - one frame must not stop the worker
            self._start_publishing()
            self._report(frame, error)
        else:
            if frame.detections is None:
                self._output.good_frame(frame)

    def _report(self, frame: Frame, error: Exception) -> None:
        fault = 'unusable' if isinstance(error, ImageError) else 'lost'
        self._statistics.count(frame.camera, _count_name(frame, fault))
        self._output.log_fault(frame, error)

    def _process_image(self, frame: Frame) -> None:
        started = time.monotonic()
        model, wants_embedding = self._model, self._output.wants_embeddings()
        if model is None and not wants_embedding and not self._captures.wants(frame):
            self._start_publishing()
            frame.check()
            return
        frame.check_header()
        rgb = self._for_model(frame, frame.region)
        keep_memory_of_images(frame.picture.whole_bytes)
        converted = time.monotonic()
        result = self._infer(rgb)
        inferred = time.monotonic()

        def publish() -> None:
            if model is not None and result.scores is not None:
                self._output.publish_classification(frame, model, result.scores, result.embedding)
                published = time.monotonic()
                times = StageTimes(
                    waiting=started - frame.arrived,
                    conversion=converted - started,
                    resize=result.times.resize_s,
                    inference=result.times.invoke_s,
                    publication=published - inferred,
                    total=published - frame.arrived,
                )
                self._statistics.add_classified(frame.camera, times)
            if wants_embedding:
                self._output.publish_embedding(frame, result.embedding)

        self._publish(frame, publish)
        for capture in self._captures.claim(frame):
            self._capture(capture, frame, rgb, result.embedding)

    def _for_model(self, frame: Frame, region: Region | None) -> RgbArray:
        return frame.picture.for_model(self._engine.description.input_side, region)

    def _infer(self, rgb: RgbArray) -> Inference:
        return self._engine.run(rgb, self._start_publishing)

    def _publish(self, frame: Frame, publish: Callable[[], None]) -> None:
        def publish_or_report() -> None:
            try:
                publish()
            except Exception as error:  # noqa: BLE001 - one frame must not stop the worker
                self._report(frame, error)

        self._wait_until_published()
        self._unpublished = publish_or_report

    def _start_publishing(self) -> None:
        publish, self._unpublished = self._unpublished, None
        if publish is not None:
            self._publication = self._publisher.submit(publish)

    def _wait_until_published(self) -> None:
        self._start_publishing()
        if self._publication is not None:
            # result() would raise an error from the publication of the previous frame.
            wait([self._publication])

    def _capture(self, capture: Capture, frame: Frame, rgb: RgbArray, embedding: RawArray) -> None:
        try:
            if capture.wanted.region is not None:
                rgb = self._for_model(frame, capture.wanted.region)
                embedding = self._infer(rgb).embedding
            self._samples.add_captured(self._captures, capture, frame, rgb, embedding)
        except Exception as error:  # noqa: BLE001 - the response of the request reports it
            self._captures.settle(capture, 0, error)

    def _process_boxes(self, frame: Frame) -> None:
        model = self._model
        if model is None:
            return
        frame.check()
        boxes = boxes_within(frame.detections.detections, *frame.size)
        classified = []
        for detection, region in boxes:
            # part() decodes the image once; for_model() would decode a JPEG image for each box.
            result = self._infer(frame.picture.part(region))
            if result.scores is None:
                return
            classified.append(BoxClassification(detection, result.scores, result.embedding))
            # Between two boxes, run a job or process an image, so that many boxes delay neither.
            with self._changed:
                if self._stopping:
                    return
                task = self._next_task(detections=False)
            if task is not None:
                task()
            if self._model is not model:
                # The task was a swap.  Start again, so that one model classifies all boxes.
                self._process_boxes(frame)
                return
        skipped = len(frame.detections.detections) - len(boxes)
        self._statistics.count(frame.camera, 'boxes classified', len(boxes))
        self._statistics.count(frame.camera, 'boxes skipped', skipped)
        self._publish(
            frame, lambda: self._output.publish_detections(frame, model, classified, skipped)
        )


def _count_name(frame: Frame, what: str) -> str:
    """Return the name under which a frame's outcome is counted."""
    if frame.detections is None:
        return what
    return 'detections dropped' if what == 'dropped' else 'detections lost'
