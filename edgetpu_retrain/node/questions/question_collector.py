# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""QuestionCollector: chooses the frames that become questions, and passes them to the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
import math
import threading
import time
from typing import Any

from edgetpu_retrain.errors import in_words, StoreError
from edgetpu_retrain.node.cameras.message_header import stamp_ns
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.samples.sample_thread import SampleThread
from edgetpu_retrain.pictures.sample_picture import jpeg_to_store, reduced, THUMBNAIL_PIXELS
from edgetpu_retrain.store.questions.asking import Asking
from edgetpu_retrain.store.questions.question import Given, MAX_GIVEN, Question, QuestionKind
from edgetpu_retrain.store.samples.embedding_kind import RawArray

MIN_INTERVAL_S = 1.0
"""Minimum time between two questions, seconds."""

RETRY_S = 30.0
"""Time added to MIN_INTERVAL_S after reading or writing the store has failed, seconds."""


class QuestionCollector:
    """
    Chooses frames that become questions, at most one a second.

    The :class:`SampleThread` compares a frame with the samples, encodes a thumbnail and writes the
    question.  At most one frame waits to be compared, so frames do not accumulate in memory if the
    disk is slow.

    Args:
        samples: the thread that reads and writes the store.
        asking: decides whether a frame becomes a question, and stores the question.
        with_picture: returns whether a thumbnail is stored.
        report: called with the name of a camera and the reason, if a frame could not be stored;
            ``samples`` reports a StoreError instead.
        clock: returns the time, seconds.
    """

    def __init__(
        self,
        samples: SampleThread,
        asking: Asking,
        with_picture: Callable[[], bool],
        report: Callable[[str, str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._samples = samples
        self._asking = asking
        self._with_picture = with_picture
        self._report = report
        self._clock = clock
        self._lock = threading.Lock()
        self._is_busy = False
        # Times of the last accepted uncertain frame and of the last accepted frame.  The times are
        # separate, so that a frame with a certain classification, which becomes a question only if
        # it is in conflict with a sample, does not delay an uncertain frame.
        self._last_uncertain = -math.inf
        self._last = -math.inf

    def is_due(self, why: QuestionKind | None) -> bool:
        """
        Return whether :meth:`offer` would accept a frame now.

        Args:
            why: why the frame's classification is uncertain; None if it is certain.
        """
        last = self._last if why is None else self._last_uncertain
        return not self._is_busy and self._clock() - last >= MIN_INTERVAL_S

    def offer(
        self,
        frame: Frame,
        model: LoadedModel,
        why: QuestionKind | None,
        results: Sequence[Any],
        embedding: RawArray,
        most: int,
    ) -> None:
        """
        Offer a classified frame; does not wait for the disk.

        Args:
            frame: the frame.
            model: the model that classified it.
            why: why the classification is uncertain; None if it is certain.
            results: the published ``vision_msgs/ObjectHypothesis`` of the frame, best first.
            embedding: raw embedding ``[D]`` of the frame.
            most: maximum number of stored questions, at least 1.
        """
        with self._lock:
            if not self.is_due(why):
                return
            self._is_busy = True
            self._last = self._clock()
            if why is not None:
                self._last_uncertain = self._last
        given = tuple(Given(each.class_id, each.score) for each in results[:MAX_GIVEN])
        camera, version = frame.camera, model.version.version
        stamp = stamp_ns(frame.message.header)
        question = Question(why, camera, stamp, given, version, embedding)
        record = model.version.record

        def weigh() -> None:
            created = datetime.fromisoformat(record.created).timestamp() - record.seconds
            kind = self._asking.weigh(
                question, labels=model.labels, trained_ns=round(created * 1e9)
            )
            if kind is not None:
                self._wait(0.0)
                asked = replace(question, kind=kind, image=self._thumbnail(frame))
                # Until the question is written, keep only its thumbnail, not the message.
                self._samples.change(lambda: self._guard(camera, self._asking.store, asked, most))

        def weigh_once() -> None:
            try:
                self._guard(camera, weigh)
            finally:
                self._is_busy = False

        self._samples.read(weigh_once)

    def _guard(self, camera: str, work: Callable[..., object], *arguments: Any) -> None:
        """Call a function and report its exceptions, because no caller reads the future."""
        try:
            work(*arguments)
        except StoreError:
            # SampleThread reports the error.  Wait, because while the database is locked, each
            # try delays requests.
            self._wait(RETRY_S)
            raise
        except Exception as error:  # noqa: BLE001 - as above
            self._report(camera, in_words(error))

    def _wait(self, more_s: float) -> None:
        """Accept no frame for the minimum interval plus ``more_s`` seconds."""
        self._last_uncertain = self._last = self._clock() + more_s

    def _thumbnail(self, frame: Frame) -> bytes | None:
        if not self._with_picture():
            return None
        return jpeg_to_store(reduced(frame.picture.part(frame.region), THUMBNAIL_PIXELS))
