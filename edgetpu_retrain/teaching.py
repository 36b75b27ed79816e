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
"""
Teaching from recordings: pictures to embeddings to samples that are on the disk.

This is where recordings, an engine and the store meet; it knows nothing of ROS.  Pictures go the
same way as a camera's: the whole picture, fitted to the extractor's input by the same code.
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
from edgetpu_retrain.store.samples.new_sample import NewSample
from edgetpu_retrain.store.samples.sample_store import SampleStore

BATCH = 64
"""
Samples that are flushed to the disk together.  A flush takes some milliseconds, as long as an
embedding; what a power cut costs is at most this many pictures, which are taught again.
"""


@dataclass(frozen=True)
class TeachingOptions:
    """
    What one may choose about teaching.

    Args:
        store_images: what is kept of each picture, see
            :func:`~edgetpu_retrain.pictures.sample_picture.sample_picture`.
        min_novelty: skip pictures nearer than this cosine distance, 0 to 2, to a sample of their
            class; 0 skips none.
    """

    store_images: str = 'none'
    min_novelty: float = 0.0


@dataclass
class Taught:
    """
    What became of the pictures so far.

    Args:
        stored: class name to samples that are on the disk.
        skipped: class name to pictures that were too near to a sample of their class.
        unreadable: name of a picture that could not be read, and why.
    """

    stored: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """How many pictures there were."""
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

    A picture that cannot be read is noted, and the others go on.  Whatever ends this early, what
    was embedded by then is stored.

    Args:
        pictures: each with its label.
        engine: embeds them.
        store: where the samples go.
        options: of teaching.
        taught: is filled as the pictures go by, so that it is true whatever happens.
        on_picture: called after each picture.

    Raises:
        RequestError: when a label is refused.
        RecordingError: when the recording cannot be read on.
        StoreError: when the disk refuses.
        DeviceError: when the device fails.
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
        # Nothing is lost that was seen, whether a bag is damaged or somebody pressed Ctrl-C.
        batch.flush()


class _Batch:
    """Samples on their way to the disk."""

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
        # Taken out first: what the store has refused once, it would refuse again.
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
