# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""SampleThread: reads and writes samples in a thread, so that frames do not wait for the disk."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
import contextlib
import threading
from typing import TypeVar

from edgetpu_retrain.errors import FilesChangedError, StoreError
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.node.cameras.message_header import stamp_ns
from edgetpu_retrain.node.frames.captures import Capture, Captures
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.samples.sample_requests import AddRequest
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.pictures.sample_picture import jpeg_to_store, pixels_to_store
from edgetpu_retrain.store.questions.question_store import QuestionStore
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.wording import sentence

Result = TypeVar('Result')


class SampleThread:
    """
    A thread that reads and writes the store, in the order of the calls.

    Args:
        store: the store of the samples; the caller closes it.
        description: input and output of the extractor whose samples are used.
        store_images: returns which pictures to store with samples; see
            :func:`~edgetpu_retrain.pictures.sample_picture.pixels_to_store`.
        on_counts: called in the thread with the number of samples of each class and the number
            of questions, after changes by this node (when none is pending) or by other programs.
        on_problem: called in the thread with a sentence if the store cannot be read or written,
            and with '' after each call that succeeds.  After a failed write, successful reads are
            not reported.
    """

    def __init__(
        self,
        store: SampleStore,
        description: ModelDescription,
        store_images: Callable[[], str],
        on_counts: Callable[[dict[str, int], int], None],
        on_problem: Callable[[str], None],
    ) -> None:
        self._store = store
        self.questions = QuestionStore(store)
        """The questions of the store."""
        self.description = description
        self.extractor = description.identity
        """Identity of the extractor."""
        self._store_images = store_images
        self._on_counts = on_counts
        self._on_problem = on_problem
        # Only a successful write resets this flag, because a full disk can still be read.
        self._cannot_write = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix='samples')
        self._lock = threading.Lock()
        self._unfinished = 0
        self._checking: Future[None] | None = None
        self._seen: object = None

    def close(self) -> None:
        """Wait for all pending calls, and stop the thread; later calls are cancelled."""
        self._thread.shutdown()

    def read(self, query: Callable[[], Result]) -> Future[Result]:
        """Call a function that reads from the store; return a future of its result."""
        return self._submit(lambda: self._watch(query))

    def change(self, function: Callable[[], Result]) -> Future[Result]:
        """Call a function that writes to the store; return a future of its result."""
        with self._lock:
            self._unfinished += 1

        def change() -> Result:
            try:
                return self._watch(function, writing=True)
            finally:
                self._report_when_idle()

        return self._submit(change)

    def counts(self) -> Future[dict[str, int]]:
        """Return a future of the number of samples by class, the oldest class first."""
        return self.read(self._count)

    def check_for_changes(self) -> None:
        """
        Report changes by other programs, and checkpoint the database if no change is pending.

        This method does not block; call it periodically.
        """
        if self._checking is None or self._checking.done():
            self._checking = self._submit(self._check)

    def checkpoint(self) -> None:
        """Checkpoint the database after pending calls; does not block, and reports no problem."""
        self._submit(self._store.checkpoint)

    def add_captured(
        self,
        captures: Captures,
        capture: Capture,
        frame: Frame,
        rgb: RgbArray,
        embedding: RawArray,
    ) -> None:
        """Store a claimed frame's picture and raw embedding ``[D]``, and settle the claim."""
        # Until the sample is written, keep only the pixels to store, not the message.
        region = capture.wanted.region or frame.region
        pixels = pixels_to_store(frame.picture, region, rgb, self._store_images())
        camera, stamp = frame.camera, stamp_ns(frame.message.header)

        def write() -> None:
            try:
                if isinstance(capture.error, StoreError):
                    # The request has failed.  Do not wait for a locked database at each frame.
                    raise capture.error
                wanted, first = capture.wanted, capture.first_sample
                sample = self._add(wanted, embedding, pixels, camera, stamp, addition=first)
            except Exception as error:
                captures.settle(capture, 0, error)
                raise
            else:
                captures.settle(capture, sample)

        self.change(write)

    def add_picture(
        self,
        request: AddRequest,
        embed: Callable[[RgbArray], Future[RawArray]],
        source: PictureSource,
    ) -> Future[int]:
        """
        Store the picture of a request.

        Args:
            request: a request with a picture.
            embed: returns a future of the embedding of a picture.
            source: the options for decoding the picture.

        Returns:
            A future of the sample's id, which is 0 if the picture was skipped as a near copy.  The
            future raises ImageError, DeviceError or StoreError if the picture could not be stored.
        """

        def write() -> int:
            picture = LazyPicture.from_file(request.picture, source)
            rgb = picture.for_model(self.description.input_side, request.region)
            pixels = pixels_to_store(picture, request.region, rgb, self._store_images())
            embedding = embed(rgb).result()
            return self._add(request, embedding, pixels, request.camera, request.stamp_ns)

        return self.change(write)

    def _submit(self, function: Callable[[], Result]) -> Future[Result]:
        """Call a function in the thread; return a future, cancelled if the thread was closed."""
        try:
            return self._thread.submit(function)
        except RuntimeError:
            # After close(), a callback of another thread may still request a count.
            closed: Future[Result] = Future()
            closed.cancel()
            return closed

    def _add(
        self,
        wanted: AddRequest,
        embedding: RawArray,
        pixels: RgbArray | None,
        camera: str,
        stamp: int,
        addition: int = 0,
    ) -> int:
        embeddings = {self.extractor: embedding}
        jpeg, recording = jpeg_to_store(pixels), wanted.recording
        (sample_id,) = self._store.add(
            [Sample(wanted.label, embeddings, camera, stamp, jpeg, recording=recording)],
            {self.extractor: self.description.quantization},
            addition=addition,
            min_novelty=wanted.min_novelty,
        )
        return sample_id

    def _count(self) -> dict[str, int]:
        return self._store.counts(extractor=self.extractor)

    def _totals(self) -> tuple[dict[str, int], int]:
        return self._count(), self.questions.count(extractor=self.extractor)

    def _check(self) -> None:
        with contextlib.suppress(StoreError):
            self._store.check_clock()
        with contextlib.suppress(StoreError):
            try:
                seen = self._store.changes_by_others()
            except FilesChangedError as error:
                self._report(error, writing=True)
                raise
            if seen != self._seen:
                # If counting fails, _seen stays unchanged, and the next check counts again.
                self._on_counts(*self._watch(self._totals))
                self._seen = seen
        if not self._unfinished:
            self._store.checkpoint()

    def _watch(self, function: Callable[[], Result], *, writing: bool = False) -> Result:
        """Call a function that uses the store, and report whether the store works."""
        try:
            result = function()
        except StoreError as error:
            self._report(error, writing=writing)
            raise
        if writing or not self._cannot_write:
            self._cannot_write = False
            self._on_problem('')
        return result

    def _report(self, error: StoreError, *, writing: bool) -> None:
        files_changed = isinstance(error, FilesChangedError)
        self._cannot_write |= writing or files_changed
        if files_changed:
            # The file may now have other samples, so count again.
            self._seen = None
        self._on_problem(sentence(error))

    def _report_when_idle(self) -> None:
        # Counting reads the whole store, so count only once after several changes.
        with self._lock:
            self._unfinished -= 1
            if self._unfinished:
                return
        with contextlib.suppress(StoreError):
            self._on_counts(*self._totals())
