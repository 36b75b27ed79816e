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
"""The one thread that owns the interpreter: every pass of the backbone happens here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
import threading
from typing import Any, Protocol, TypeVar

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.learning.head import FloatArray
from edgetpu_retrain.node.captures import Capture, Captures
from edgetpu_retrain.node.image_conversion import RgbArray
from edgetpu_retrain.node.newest_frames import Frame, NewestFrames
from edgetpu_retrain.runtime.classifier import Classifier
from edgetpu_retrain.runtime.extractor import Extractor
from edgetpu_retrain.store.embedding_kind import RawArray

Answer = TypeVar('Answer')


class FrameEvents(Protocol):
    """What the worker tells the node, from its own thread."""

    def classified(self, frame: Frame, labels: tuple[str, ...], scores: FloatArray) -> None:
        """Tell the scores, float32 ``[C]``, of a frame."""

    def captured(self, capture: Capture, frame: Frame, embedding: RawArray) -> None:
        """Tell the raw embedding ``[D]`` of a frame that a request has claimed."""

    def unusable(self, frame: Frame, error: ImageError) -> None:
        """Tell that a frame holds no picture."""

    def failed(self, frame: Frame, error: Exception) -> None:
        """Tell that a frame was lost because something broke."""


@dataclass(frozen=True, eq=False)
class _Job:
    """Something to be done between two frames."""

    function: Callable[[], Any]
    done: Future[Any]

    def run(self) -> None:
        if not self.done.set_running_or_notify_cancel():
            return
        try:
            answer = self.function()
        except Exception as error:  # noqa: BLE001 - whoever asked for the job gets it
            self.done.set_exception(error)
        else:
            self.done.set_result(answer)


class FrameWorker:
    """
    Serves the newest frames of all cameras, one pass of the backbone each.

    The same pass answers the classification and all pending captures.  While there is nothing
    to classify with and nothing to capture, frames are only checked.

    Args:
        model: the extractor before the first training, a classifier after it.
        cameras: names of the cameras.
        captures: the pending requests for samples.
        events: is told what happens.
    """

    def __init__(
        self,
        model: Extractor | Classifier,
        cameras: Iterable[str],
        captures: Captures,
        events: FrameEvents,
    ) -> None:
        self._model = model
        self._captures = captures
        self._events = events
        self._frames = NewestFrames(cameras)
        self._jobs: deque[_Job] = deque()
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name='frames', daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """End after the frame in hand; jobs that did not begin are cancelled."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()
        for job in self._jobs:
            job.done.cancel()

    def offer(self, frame: Frame) -> None:
        """Hand over a camera's newest frame; never waits for inference."""
        with self._changed:
            self._frames.put(frame)
            self._changed.notify()

    def embed(self, rgb: RgbArray) -> Future[RawArray]:
        """Return the raw embedding ``[D]`` that a picture is going to have."""
        return self._between_frames(lambda: self._embed(rgb))

    def serve(self, model: Extractor | Classifier) -> Future[None]:
        """
        Swap models between two frames.

        Args:
            model: the new one, loaded and warm.

        Returns:
            Ends when no frame is in the old one any more and the next one goes to the new.
        """

        def swap() -> None:
            self._model = model

        return self._between_frames(swap)

    def _between_frames(self, function: Callable[[], Answer]) -> Future[Answer]:
        job = _Job(function, Future())
        with self._changed:
            if self._stopping:
                job.done.cancel()
                return job.done
            self._jobs.append(job)
            self._changed.notify()
        return job.done

    def _work(self) -> None:
        while (task := self._next()) is not None:
            if isinstance(task, _Job):
                task.run()
            else:
                self._serve(task)

    def _next(self) -> _Job | Frame | None:
        """Wait for something to do; None means to end."""
        with self._changed:
            while not self._stopping:
                task = self._jobs.popleft() if self._jobs else self._frames.take()
                if task is not None:
                    return task
                self._changed.wait()
        return None

    def _serve(self, frame: Frame) -> None:
        try:
            self._pass(frame)
        except ImageError as error:
            self._events.unusable(frame, error)
        except Exception as error:  # noqa: BLE001 - one frame must not end all that follow
            self._events.failed(frame, error)

    def _pass(self, frame: Frame) -> None:
        if isinstance(self._model, Classifier):
            classified = self._model.classify(frame.to_rgb())
            self._events.classified(frame, self._model.labels, classified.scores)
            embedding = classified.embedding
        elif self._captures.wants(frame):
            embedding = self._model.embed(frame.to_rgb())
        else:
            frame.check()
            return
        for capture in self._captures.claim(frame):
            self._events.captured(capture, frame, embedding)

    def _embed(self, rgb: RgbArray) -> RawArray:
        if isinstance(self._model, Classifier):
            return self._model.classify(rgb).embedding
        return self._model.embed(rgb)
