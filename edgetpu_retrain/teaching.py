# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Teaching from recordings: embeds pictures and stores them as samples.

It connects recordings, an engine and the store, and does not depend on ROS.  Pictures are
processed like a camera's: the whole picture, preprocessed by the same code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.pictures.sample_picture import sample_picture
from edgetpu_retrain.recordings.reading import read_pictures
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture
from edgetpu_retrain.runtime.engines.engine import Engine
from edgetpu_retrain.store.samples.sample import NewSample
from edgetpu_retrain.store.samples.sample_store import SampleStore

BATCH = 64
"""
Samples that are flushed to disk together.  A flush takes a few milliseconds, as long as an
embedding; a power failure loses at most this many samples, which can be taught again.
"""


@dataclass(frozen=True)
class TeachingOptions:
    """
    The options of teaching.

    Args:
        store_images: how to store each picture, see
            :func:`~edgetpu_retrain.pictures.sample_picture.sample_picture`.
        min_novelty: skip pictures nearer than this cosine distance, 0 to 2, to a sample of their
            class; 0 skips none.
    """

    store_images: str = 'none'
    min_novelty: float = 0.0


@dataclass
class Taught:
    """
    The result of teaching so far.

    Args:
        stored: number of samples on disk, by class.
        skipped: number of pictures skipped for low novelty, by class.
        unreadable: pictures that could not be read: name and reason.
    """

    stored: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """Number of processed pictures."""
        return self.stored.total() + self.skipped.total() + len(self.unreadable)


def teach(
    pictures: Iterable[RecordedPicture],
    engine: Engine,
    store: SampleStore,
    options: TeachingOptions,
    *,
    taught: Taught,
    on_picture: Callable[[], object] = lambda: None,
) -> None:
    """
    Store a sample of each labelled picture.

    Pictures that cannot be read are recorded and skipped.  If teaching ends early, for any reason,
    all pictures embedded so far are stored.

    Args:
        pictures: pictures with labels.
        engine: computes the embeddings.
        store: receives the samples.
        options: the options of teaching.
        taught: updated continuously, so that it is correct even after an exception.
        on_picture: called after each picture.

    Raises:
        RequestError: if a label is invalid.
        RecordingError: if the rest of the recording cannot be read.
        StoreError: if writing to disk fails.
        DeviceError: if the device fails.
    """
    batch = _Batch(engine, store, options, taught)
    try:
        for picture, rgb, fault in read_pictures(pictures):
            if rgb is None:
                taught.unreadable.append((picture.name, fault))
            else:
                batch.add(picture, rgb)
            on_picture()
    finally:
        # Store what was embedded, also after a damaged bag or Ctrl-C.
        batch.flush()


class _Batch:
    """Samples that are not on disk yet."""

    def __init__(
        self, engine: Engine, store: SampleStore, options: TeachingOptions, taught: Taught
    ) -> None:
        self._engine = engine
        self._store = store
        self._options = options
        self._taught = taught
        self._samples: list[NewSample] = []
        self._addition = 0

    def add(self, picture: RecordedPicture, rgb: RgbArray) -> None:
        try:
            embedding = self._engine.run(rgb).embedding
            image = sample_picture(rgb, self._options.store_images)
        except ImageError as error:
            self._taught.unreadable.append((picture.name, str(error)))
            return
        self._samples.append(
            NewSample(picture.label, embedding, picture.camera, picture.stamp_ns, image)
        )
        if len(self._samples) >= BATCH:
            self.flush()

    def flush(self) -> None:
        # Clear first: if the store rejects them, retrying would fail again.
        samples, self._samples = self._samples, []
        if not samples:
            return
        description = self._engine.description
        ids = self._store.add_batch(
            samples,
            extractor=description.identity,
            quantization=description.quantization,
            addition=self._addition,
            min_novelty=self._options.min_novelty,
        )
        self._addition = self._addition or next(filter(None, ids), 0)
        for sample, sample_id in zip(samples, ids, strict=True):
            (self._taught.stored if sample_id else self._taught.skipped)[sample.label] += 1
