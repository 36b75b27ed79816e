# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.recordings.picture_folder import class_folders
from edgetpu_retrain.sample_archive.picture_folders import write_picture_folders
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest

EXTRACTOR = 'a' * 64
JPEG = bytes(cv2.imencode('.jpg', np.zeros((8, 8, 3), np.uint8))[1].tobytes())


def filled(path: Path, *samples: Sample) -> SampleStore:
    store = SampleStore(path / 'samples.db')
    store.add(samples, {EXTRACTOR: None})
    return store


def sample(label: str, image: bytes | None = JPEG) -> Sample:
    return Sample(label, {EXTRACTOR: np.zeros(3, np.float32)}, image=image)


def test_pictures_go_to_folders_that_teach_reads(tmp_path: Path) -> None:
    with filled(tmp_path, sample('cup'), sample('Löffel'), sample('cup', None)) as store:
        done = write_picture_folders(store, tmp_path / 'out')
    assert (done.written, done.without_picture) == ({'cup': 1, 'Löffel': 1}, 1)
    assert (tmp_path / 'out' / 'cup' / '00000001.jpg').read_bytes() == JPEG
    assert set(class_folders(tmp_path / 'out')) == {'cup', 'Löffel'}


def test_existing_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full' / 'x').touch()
    with filled(tmp_path, sample('cup')) as store:
        for target in ('full', 'full/x'):
            with pytest.raises(RequestError, match='there already'):
                write_picture_folders(store, tmp_path / target)


def test_an_export_without_pictures_is_rejected(tmp_path: Path) -> None:
    with (
        filled(tmp_path, sample('cup', None)) as store,
        pytest.raises(RequestError, match='store-images'),
    ):
        write_picture_folders(store, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_an_invalid_label_in_the_store_creates_no_folder(tmp_path: Path) -> None:
    with filled(tmp_path, sample('cup')) as store:
        with store._database.transaction('test', writing=True) as connection:
            connection.execute("UPDATE samples SET label = '../up'")
        with pytest.raises(StoreError, match='no name of a folder'):
            write_picture_folders(store, tmp_path / 'out')
    assert not (tmp_path / 'up').exists()
