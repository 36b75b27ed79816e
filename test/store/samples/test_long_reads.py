# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""While samples are read, however long that takes, other threads read and write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.sample_archive.archive_writing import write_archive
from edgetpu_retrain.sample_archive.picture_folders import write_picture_folders
from edgetpu_retrain.store.files import lock_wait
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.store.samples.snapshot import Snapshot
import pytest
from support.waiting import PATIENCE_S, wait_until

EXTRACTOR = 'a' * 64
OTHER = 'b' * 64
JPEG = b'\xff\xd8\xff picture'
Teach = Callable[..., list[int]]


@pytest.fixture
def add_meanwhile(samples: SampleStore, teach: Teach) -> Iterator[Callable[[], None]]:
    """Store a sample in another thread, and count the samples of all classes there."""
    with ThreadPoolExecutor(1) as thread:

        def count() -> int:
            counting = thread.submit(samples.counts, extractor=EXTRACTOR)
            return counting.result(PATIENCE_S)['mug']

        def add() -> None:
            before = count()
            adding = thread.submit(teach, samples, 'mug', 1, image=JPEG)
            assert adding.result(PATIENCE_S)
            assert count() == before + 1

        yield add


def test_samples_are_added_during_a_snapshot(
    samples: SampleStore, teach: Teach, add_meanwhile: Callable[[], None]
) -> None:
    teach(samples, 'mug', 2)
    with samples.snapshot() as snapshot:
        add_meanwhile()
        assert snapshot.total() == 2
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 3}


def test_samples_are_added_while_a_training_set_is_read(
    samples: SampleStore,
    teach: Teach,
    add_meanwhile: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    teach(samples, 'mug', 3)
    real = Snapshot.embeddings

    def embeddings(*arguments: object) -> Iterator[tuple[int, str, str, bytes]]:
        for row in real(*arguments):  # type: ignore[arg-type]
            add_meanwhile()
            yield row

    monkeypatch.setattr(Snapshot, 'embeddings', embeddings)
    assert len(samples.training_set(extractor=EXTRACTOR).ids) == 3
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 6}


def test_samples_are_added_during_an_export(
    samples: SampleStore, teach: Teach, tmp_path: Path, add_meanwhile: Callable[[], None]
) -> None:
    teach(samples, 'mug', 3, image=JPEG)
    assert write_archive(samples, tmp_path / 'samples.zip', add_meanwhile) == 3
    written = write_picture_folders(samples, tmp_path / 'pictures', add_meanwhile)
    assert written.written == {'mug': 6}
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 12}


def test_samples_are_added_while_pictures_are_embedded_again(
    samples: SampleStore, teach: Teach, add_meanwhile: Callable[[], None]
) -> None:
    teach(samples, 'mug', 3, image=JPEG)
    for _ in samples.to_reembed(OTHER):
        add_meanwhile()
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 6}


def test_samples_are_added_while_an_erasure_waits_for_a_reader(
    samples: SampleStore,
    teach: Teach,
    add_meanwhile: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lock_wait, 'PATIENCE_S', PATIENCE_S)
    teach(samples, 'mug', 2, image=JPEG)
    ids = teach(samples, 'mug', 1, image=JPEG)
    with ThreadPoolExecutor(2) as threads:

        def is_erased() -> bool:
            counting = threads.submit(samples.counts, extractor=EXTRACTOR)
            return counting.result(PATIENCE_S) == {'mug': 2}

        with samples.snapshot() as snapshot:
            erasing = threads.submit(samples.erase_samples, ids)
            wait_until(is_erased)
            add_meanwhile()
            assert not erasing.done()
            assert snapshot.total() == 3
        assert erasing.result(PATIENCE_S).samples == 1


def test_a_closed_store_is_not_read(samples: SampleStore) -> None:
    samples.close()
    with pytest.raises(StoreError, match='it was closed'), samples.snapshot():
        pass


def test_a_database_that_is_gone_is_not_read(path: Path, samples: SampleStore) -> None:
    path.unlink()
    words = f'read the samples in {path}: No such file.*check that the path is right'
    with pytest.raises(StoreError, match=words), samples.snapshot():
        pass


def test_a_link_in_its_place_is_not_read(path: Path, samples: SampleStore) -> None:
    path.unlink()
    path.symlink_to('/etc/passwd')
    with pytest.raises(StoreError, match='symbolic link'), samples.snapshot():
        pass


def test_an_error_of_the_reader_is_not_one_of_the_database(samples: SampleStore) -> None:
    with pytest.raises(OSError, match='full'), samples.snapshot():
        raise OSError('the disk of the zip is full')
