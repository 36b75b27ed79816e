# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Teaching from recordings, with the default extractor and real photographs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
from edgetpu_retrain import teaching
from edgetpu_retrain.errors import ImageError, RecordingError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.recordings.image_bag import BagPart, ImageBag
from edgetpu_retrain.recordings.picture_folder import class_folders, labelled_pictures
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain.runtime.engines.engine import Engine
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.store.samples.recording import MAX_RECORDING_LENGTH
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.teaching import BATCH, Taught, teach
import numpy as np
import pytest
from support.bags import (
    compressed_image,
    image,
    photographs,
    png,
    STORAGES,
    write_bag,
    write_class_folders,
)
from support.encoded_pictures import encoded
from support.small_models import build_extractor

TOPIC = '/camera/image_raw'


@pytest.fixture(scope='module')
def engine() -> Engine:
    return CpuEngine(default_extractor_path().read_bytes())


@pytest.fixture
def small() -> Engine:
    return CpuEngine(build_extractor('uint8'))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SampleStore]:
    with SampleStore(tmp_path / 'samples.db') as samples:
        yield samples


def folder_pictures(folder: Path) -> Iterator[RecordedPicture]:
    return labelled_pictures(folder, class_folders(folder))


def taught_by(engine: Engine, path: Path, pictures: Iterator[RecordedPicture]) -> TrainingSet:
    with SampleStore(path) as store:
        teach(pictures, engine, store, taught=Taught())
        return store.training_set(extractor=engine.description.identity)


@pytest.mark.parametrize('storage', STORAGES)
def test_bag_and_folder_give_identical_embeddings(
    storage: str, engine: Engine, tmp_path: Path
) -> None:
    frames = photographs('coffee', 5)
    write_class_folders(tmp_path / 'photographs', ('coffee',), 5)
    folder = taught_by(
        engine,
        tmp_path / 'folder.db',
        folder_pictures(tmp_path / 'photographs'),
    )
    bag = write_bag(
        tmp_path / 'bag',
        storage,
        {
            TOPIC: list(map(image, frames)),
            f'{TOPIC}/compressed': [compressed_image(png(rgb)) for rgb in frames],
        },
    )
    for number, topic in enumerate((TOPIC, f'{TOPIC}/compressed')):
        with ImageBag(bag, BagPart(topic), 'coffee') as images:
            samples = taught_by(engine, tmp_path / f'{number}.db', iter(images))
        assert samples.names == folder.names == ('coffee',)
        assert np.array_equal(samples.embeddings, folder.embeddings)
    # The node embeds camera frames with the same call.
    live = np.stack([engine.run(rgb).embedding for rgb in frames])
    assert np.array_equal(live, folder.embeddings)


def test_all_encodings_of_a_picture_give_the_same_embedding(
    engine: Engine, tmp_path: Path
) -> None:
    (rgb,) = photographs('coffee', 1)
    folder = tmp_path / 'photographs' / 'coffee'
    folder.mkdir(parents=True)
    options = {'png': [], 'webp': [cv2.IMWRITE_WEBP_QUALITY, 101]}
    files = [
        cv2.imencode(f'.{kind}', pixels, options[kind])[1].tobytes()
        for kind, pixels in (
            ('png', rgb[..., ::-1]),
            ('png', rgb[..., ::-1] * np.uint16(257)),
            ('png', np.dstack([rgb[..., ::-1], np.full_like(rgb[..., :1], 255)])),
            ('webp', rgb[..., ::-1]),
        )
    ]
    for number, content in enumerate(files):
        (folder / str(number)).write_bytes(content)
    taught = taught_by(engine, tmp_path / 'folder.db', folder_pictures(folder.parent))
    expected = engine.run(rgb).embedding
    assert (taught.embeddings == expected).all()
    topics = {}
    for each in encoded(rgb):
        message = image(rgb)
        message.encoding, message.step = each.encoding, each.step
        message.data = np.frombuffer(each.data, np.uint8)
        topics[f'/{each.encoding}'] = [message]
    topics['/files'] = [compressed_image(content) for content in files]
    bag = write_bag(tmp_path / 'bag', 'mcap', topics)
    exact = {f'/{each.encoding}' for each in encoded(rgb) if each.is_exact} | {'/files'}
    for number, topic in enumerate(topics):
        with ImageBag(bag, BagPart(topic), 'coffee') as images:
            recorded = taught_by(engine, tmp_path / f'{number}.db', iter(images))
        if topic in exact:
            assert (recorded.embeddings == expected).all(), topic
        assert similarity(recorded.embeddings[0], expected, engine) > 0.98, topic


def test_large_jpeg_files_and_images_give_identical_embeddings(
    engine: Engine, tmp_path: Path
) -> None:
    frames = [cv2.resize(rgb, (960, 720)) for rgb in photographs('coffee', 3)]
    files = [bytes(cv2.imencode('.jpg', rgb[:, :, ::-1])[1].tobytes()) for rgb in frames]
    folder = tmp_path / 'photographs' / 'coffee'
    folder.mkdir(parents=True)
    for number, content in enumerate(files):
        (folder / f'{number}.jpg').write_bytes(content)
    bag = write_bag(tmp_path / 'bag', 'mcap', {TOPIC: [compressed_image(each) for each in files]})
    with ImageBag(bag, BagPart(TOPIC), 'coffee') as images:
        recorded = taught_by(engine, tmp_path / 'bag.db', iter(images))
    taught = taught_by(engine, tmp_path / 'folder.db', folder_pictures(folder.parent))
    assert np.array_equal(taught.embeddings, recorded.embeddings)
    for embedding, content in zip(taught.embeddings, files, strict=True):
        whole = engine.run(LazyPicture.from_file(content).whole).embedding
        assert not np.array_equal(embedding, whole), 'it was decoded at half of its size'
        assert similarity(embedding, whole, engine) > 0.98


def similarity(one: RawArray, other: RawArray, engine: Engine) -> float:
    """Return the cosine similarity of two raw embeddings."""
    quantization = engine.description.quantization
    a, b = (dequantize(each, quantization) for each in (one, other))
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def noise(count: int, *, label: str = 'noise', damaged: int = -1) -> Iterator[RecordedPicture]:
    rng = np.random.default_rng(0)

    def refuse() -> LazyPicture:
        raise ImageError('it is damaged')

    for index in range(count):
        rgb = rng.integers(0, 256, (8, 8, 3), np.uint8)
        read = refuse if index == damaged else partial(LazyPicture, partial(np.copy, rgb))
        yield RecordedPicture(str(index), read, label, '/camera', 7)


def test_a_damaged_picture_is_recorded_and_skipped(small: Engine, store: SampleStore) -> None:
    taught, steps = Taught(), []
    teach(
        noise(BATCH + 10, damaged=3),
        small,
        store,
        taught=taught,
        on_picture=lambda: steps.append(taught.stored.total()),
    )
    assert taught.unreadable == [('3', 'it is damaged')]
    assert taught.stored == {'noise': BATCH + 9}
    assert taught.seen == len(steps) == BATCH + 10
    # Stored in batches, and the rest at the end.
    assert set(steps) == {0, BATCH}
    newest = store.list_samples(limit=1, extractor=small.description.identity)
    assert (newest[0].camera, newest[0].stamp_ns) == ('/camera', 7)
    assert str(store.undo()) == f"the addition of {BATCH + 9} samples of 'noise'"


def test_near_duplicates_are_skipped_within_a_batch_and_after_it(
    small: Engine, store: SampleStore
) -> None:
    def twice() -> Iterator[RecordedPicture]:
        for each in noise(5):
            yield each
            yield each

    for stored, skipped in ((5, 5), (0, 10)):
        taught = Taught()
        teach(twice(), small, store, taught=taught, min_novelty=1e-3)
        assert (taught.stored.total(), taught.skipped.total()) == (stored, skipped)


@pytest.mark.parametrize('error', [RecordingError('the bag ends here'), KeyboardInterrupt()])
def test_embedded_pictures_are_stored_however_teaching_ends(
    error: BaseException, small: Engine, store: SampleStore
) -> None:
    def source() -> Iterator[RecordedPicture]:
        yield from noise(7)
        raise error

    taught = Taught()
    with pytest.raises(type(error)):
        teach(source(), small, store, taught=taught)
    stored = store.counts(extractor=small.description.identity)
    assert stored == dict(taught.stored)
    assert stored == {'noise': 7}


def test_pictures_are_stored_only_on_request(small: Engine, store: SampleStore) -> None:
    teach(noise(2), small, store, taught=Taught(), store_images='full')
    picture = store.picture(1)
    assert picture is not None
    assert picture.jpeg.startswith(b'\xff\xd8\xff')
    assert teaching.BATCH == BATCH


def test_near_copies_in_a_row_are_one_recording(small: Engine, store: SampleStore) -> None:
    def pictures() -> Iterator[RecordedPicture]:
        # Pictures 2 and 3 of the class are copies, and so are 5 and the first of the next class.
        for index, (value, label) in enumerate(
            [(0, 'cup'), (1, 'cup'), (1, 'cup'), (0, 'cup'), (2, 'cup'), (2, 'hat')]
        ):
            rgb = np.zeros((8, 8, 3), np.uint8)
            rgb[..., value] = 200
            read = partial(LazyPicture, partial(np.copy, rgb))
            yield RecordedPicture(
                str(index), read, label, recording=f'visit {index}', is_single=True
            )

    teach(pictures(), small, store, taught=Taught())
    listed = store.list_samples(extractor=small.description.identity)
    numbers = [int(each.recording.split()[1]) for each in reversed(listed)]
    assert numbers == [0, 1, 1, 3, 4, 5]


def test_the_end_of_a_long_path_names_a_recording(small: Engine, store: SampleStore) -> None:
    path = '/long' * 100 + '/cup\n/monday'
    taught = (replace(each, recording=path) for each in noise(1))
    teach(taught, small, store, taught=Taught())
    (listed,) = store.list_samples(extractor=small.description.identity)
    assert listed.recording.endswith('/long/cup\\n/monday')
    assert len(listed.recording) == MAX_RECORDING_LENGTH
