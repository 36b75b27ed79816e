# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The one thread that reads and writes samples for the node, so that no frame waits for a disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
import contextlib
import threading
from typing import TypeVar

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.node.cameras.message_header import stamp_ns
from edgetpu_retrain.node.frames.captures import Capture, Captures
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.pictures.compressed_image import decode_picture
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.pictures.sample_picture import jpeg_to_store, pixels_to_store
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.store.samples.sample import StoredSample, Undone
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.wording import sentence

Result = TypeVar('Result')


class SampleThread:
    """
    The samples of one extractor, handled in the order in which it is asked for.

    Args:
        store: where they are kept; is used by others, too, but closed by its owner.
        description: of the extractor whose embeddings they are.
        store_images: returns what is kept of a sample's picture at the moment, see
            :func:`~edgetpu_retrain.pictures.sample_picture.pixels_to_store`.
        on_counts: called from the thread with the samples of each class, once it has nothing
            left to do.
        on_problem: called from the thread with a sentence when the store cannot be read or
            written, and with '' when that is over.
    """

    def __init__(
        self,
        store: SampleStore,
        description: ModelDescription,
        store_images: Callable[[], str],
        on_counts: Callable[[dict[str, int]], None],
        on_problem: Callable[[str], None],
    ) -> None:
        self._store = store
        self._description = description
        self._store_images = store_images
        self._on_counts = on_counts
        self._on_problem = on_problem
        # A full disk can still be read, which says nothing about writing.
        self._cannot_write = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix='samples')
        self._lock = threading.Lock()
        self._unfinished = 0
        self._checking: Future[None] | None = None
        self._seen: int | None = None

    @property
    def extractor(self) -> str:
        """Identity of the extractor, the SHA-256 of its file."""
        return self._description.identity

    @property
    def description(self) -> ModelDescription:
        """Of the extractor."""
        return self._description

    def close(self) -> None:
        """End when what was asked for is done."""
        self._thread.shutdown()

    def counts(self) -> Future[dict[str, int]]:
        """Count the samples of each class, in first-taught order."""
        return self._thread.submit(lambda: self._watched(self._count))

    def report_counts(self) -> None:
        """Report the counts, because somebody else changed the samples."""
        self._change(lambda: None)

    def check_for_changes(self) -> None:
        """Report the counts when another program has changed the samples; never waits."""
        if self._checking is None or self._checking.done():
            self._checking = self._thread.submit(self._check)

    def newest(self, label: str, limit: int) -> Future[tuple[StoredSample, ...]]:
        """List single samples, newest first, see :meth:`SampleStore.list_samples`."""
        return self._thread.submit(
            lambda: self._watched(
                lambda: self._store.list_samples(label, limit, extractor=self.extractor)
            )
        )

    def remove(self, label: str, newest: int) -> Future[int]:
        """Remove samples, see :meth:`SampleStore.remove`; returns how many."""
        return self._change(lambda: self._store.remove(label, newest, extractor=self.extractor))

    def undo(self) -> Future[Undone]:
        """Take the last addition back, see :meth:`SampleStore.undo_last_addition`."""
        return self._change(lambda: self._store.undo_last_addition(extractor=self.extractor))

    def relabel_class(self, label: str, new_label: str) -> Future[int]:
        """Rename a class, see :meth:`SampleStore.relabel_class`; returns how many samples."""
        return self._change(
            lambda: self._store.relabel_class(label, new_label, extractor=self.extractor)
        )

    def relabel(self, ids: Sequence[int], new_label: str) -> Future[int]:
        """Relabel single samples, see :meth:`SampleStore.relabel`; returns how many."""
        return self._change(lambda: self._store.relabel(ids, new_label))

    def add_captured(
        self,
        captures: Captures,
        capture: Capture,
        frame: Frame,
        rgb: RgbArray,
        embedding: RawArray,
    ) -> None:
        """Store a claimed frame's picture and raw embedding ``[D]`` and settle the claim."""
        # What waits for the disk is no larger than what is stored.
        pixels = pixels_to_store(rgb, self._store_images())
        camera, stamp = frame.camera, stamp_ns(frame.message.header)

        def write() -> None:
            try:
                if isinstance(capture.error, StoreError):
                    # Each frame would wait for a locked database as long as the first did.
                    raise capture.error
                sample = self._add(
                    capture.label,
                    embedding,
                    pixels,
                    camera=camera,
                    stamp_ns=stamp,
                    addition=capture.first_sample,
                    min_novelty=capture.min_novelty,
                )
            except Exception as error:
                captures.settle(capture, 0, error)
                raise
            else:
                captures.settle(capture, sample)

        self._change(write)

    def add_picture(
        self,
        label: str,
        content: bytes,
        embed: Callable[[RgbArray], Future[RawArray]],
        *,
        region: Region | None,
        camera: str,
        stamp_ns: int,
        min_novelty: float,
    ) -> Future[int]:
        """
        Store one picture that came with a request.

        Args:
            label: name of the class.
            content: a JPEG or PNG file.
            embed: asks the owner of the interpreter for the embedding.
            region: the part of it to embed, None = all.
            camera: where it is said to be from, '' = nowhere.
            stamp_ns: when, in nanoseconds; 0 = unknown.
            min_novelty: skip it when it is nearer than this cosine distance to one of its class.

        Returns:
            The id of the sample, 0 when it was skipped; or ImageError, or StoreError.
        """

        def write() -> int:
            rgb = decode_picture(content)
            if region is not None:
                rgb = region.cut(rgb)
            return self._add(
                label,
                embed(rgb).result(),
                pixels_to_store(rgb, self._store_images()),
                camera=camera,
                stamp_ns=stamp_ns,
                addition=0,
                min_novelty=min_novelty,
            )

        return self._change(write)

    def _add(
        self,
        label: str,
        embedding: RawArray,
        pixels: RgbArray | None,
        *,
        camera: str,
        stamp_ns: int,
        addition: int,
        min_novelty: float,
    ) -> int:
        return self._store.add(
            label,
            embedding,
            extractor=self.extractor,
            quantization=self._description.quantization,
            camera=camera,
            stamp_ns=stamp_ns,
            addition=addition,
            image=None if pixels is None else jpeg_to_store(pixels),
            min_novelty=min_novelty,
        )

    def _count(self) -> dict[str, int]:
        return self._store.counts(extractor=self.extractor)

    def _check(self) -> None:
        with contextlib.suppress(StoreError):
            seen = self._store.changes_by_others()
            if seen != self._seen:
                # Only this tells whether the samples can be read.
                self._on_counts(self._watched(self._count))
                self._seen = seen

    def _change(self, function: Callable[[], Result]) -> Future[Result]:
        with self._lock:
            self._unfinished += 1

        def change() -> Result:
            try:
                return self._watched(function, writing=True)
            finally:
                self._report_when_idle()

        return self._thread.submit(change)

    def _watched(self, function: Callable[[], Result], *, writing: bool = False) -> Result:
        """Call a function that uses the store, and report whether the store works."""
        try:
            result = function()
        except StoreError as error:
            self._cannot_write = writing
            self._on_problem(sentence(error))
            raise
        if writing or not self._cannot_write:
            self._cannot_write = False
            self._on_problem('')
        return result

    def _report_when_idle(self) -> None:
        # Counting walks through the store, so a burst of samples is counted once.
        with self._lock:
            self._unfinished -= 1
            if self._unfinished:
                return
        with contextlib.suppress(StoreError):
            self._on_counts(self._count())
