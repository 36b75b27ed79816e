# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Teaching from recordings: computes the embeddings of pictures, and stores them as samples.

A picture is used without cropping, and is preprocessed by the same code as a camera's images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.extractors.near_copies import min_novelty_of
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.pictures.sample_picture import sample_picture
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture
from edgetpu_retrain.runtime.engines.engine import Engine
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.store.samples.newest_vectors import unit_vectors
from edgetpu_retrain.store.samples.recording import check_recording, MAX_RECORDING_LENGTH
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.wording import one_line

BATCH = 64
"""
Maximum number of samples that are flushed to disk together.  A flush takes a few milliseconds,
about as long as computing an embedding.  A power failure loses at most this many samples.
"""


@dataclass
class Taught:
    """
    The result of teaching so far.

    Args:
        stored: number of samples on disk, by class.
        skipped: number of pictures skipped for low novelty, by class.
        unreadable: name of each picture that could not be read, and the reason.
    """

    stored: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """Number of pictures that were stored, skipped or unreadable."""
        return self.stored.total() + self.skipped.total() + len(self.unreadable)


def teach(
    pictures: Iterable[RecordedPicture],
    engine: Engine,
    store: SampleStore,
    *,
    taught: Taught,
    store_images: str = 'none',
    min_novelty: float = 0.0,
    recording: str = '',
    on_picture: Callable[[], object] = lambda: None,
) -> None:
    """
    Store a sample of each labelled picture, except near copies as defined by ``min_novelty``.

    Pictures that cannot be read are listed in ``taught.unreadable``.  If teaching ends early, the
    samples computed so far are still stored, unless the store fails.

    Args:
        pictures: pictures with labels.
        engine: computes the embeddings.
        store: receives the samples.
        taught: receives the result; it is correct after any exception except KeyboardInterrupt.
        store_images: how to store each picture; see
            :func:`~edgetpu_retrain.pictures.sample_picture.sample_picture`.
        min_novelty: skip pictures nearer than this cosine distance, 0 to 2, to a sample of their
            class; 0 skips none.
        recording: name of the recording of all pictures; '' uses the recording of each picture.
        on_picture: called after each picture.

    Raises:
        RequestError: if a label or ``recording`` is invalid.
        RecordingError: if the rest of the recording cannot be read.
        StoreError: if writing to disk fails.
        DeviceError: if the device fails.
    """
    identity = engine.description.identity
    quantizations = {identity: engine.description.quantization}
    recordings = _Recordings(engine.description)
    check_recording(recording)
    pending: list[Sample] = []
    addition = 0

    def flush() -> None:
        nonlocal addition
        # Clear first: if the store rejects the samples, the ``finally`` below must not add them
        # again.
        samples = pending.copy()
        pending.clear()
        ids = store.add(samples, quantizations, addition=addition, min_novelty=min_novelty)
        addition = addition or next(filter(None, ids), 0)
        for sample, sample_id in zip(samples, ids, strict=True):
            (taught.stored if sample_id else taught.skipped)[sample.label] += 1

    try:
        for recorded in pictures:
            try:
                picture = recorded.read()
                rgb = picture.for_model(engine.description.input_side)
                embedding = engine.run(rgb).embedding
                image = sample_picture(picture, rgb, store_images)
            except ImageError as error:
                taught.unreadable.append((recorded.name, str(error)))
            else:
                embeddings = {identity: embedding}
                pending.append(
                    Sample(
                        recorded.label,
                        embeddings,
                        recorded.camera,
                        recorded.stamp_ns,
                        image,
                        recording=recording or recordings.name_of(recorded, embedding),
                    )
                )
            if len(pending) == BATCH:
                flush()
            on_picture()
    finally:
        # Store the last samples even after a damaged bag or Ctrl-C.
        if pending:
            flush()


class _Recordings:
    """
    Names the recording of each picture.

    A picture has the recording that its source names, with one exception: consecutive pictures
    with ``is_single`` and one label share a recording if each is a near copy of the picture before
    it.

    Args:
        description: the extractor of the embeddings.
    """

    def __init__(self, description: ModelDescription) -> None:
        self._quantization = description.quantization
        self._near_copy = min_novelty_of(0.0, description.identity)
        self._last: tuple[str, FloatArray] | None = None
        self._name = ''

    def name_of(self, picture: RecordedPicture, embedding: RawArray) -> str | None:
        """Return the recording of the next picture (raw embedding ``[D]``); None = not named."""
        last, self._last = self._last, None
        if picture.is_single:
            vector = unit_vectors(embedding, self._quantization)
            self._last = picture.label, vector
            if (
                last
                and last[0] == picture.label
                and 1.0 - float(last[1] @ vector) < self._near_copy
            ):
                return self._name
        # Keep the end of a long path: the paths of recordings in one folder differ only there.
        self._name = one_line(picture.recording)[-MAX_RECORDING_LENGTH:]
        return self._name or None
