# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A store whose file cannot be opened at first."""

from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.samples import add_sample

EXTRACTOR = 'a' * 64


def teach(store: SampleStore) -> int:
    row = np.full(8, 0.5, np.float32)
    return add_sample(store, 'mug', row, extractor=EXTRACTOR, quantization=None)


def test_a_damaged_file_raises_at_each_use_until_it_is_moved_away(path: Path) -> None:
    path.write_bytes(b'label,camera\n' * 1000)
    before = path.read_bytes()
    with SampleStore(path, must_open=False) as store:
        for ask in (lambda: teach(store), lambda: store.counts(extractor=EXTRACTOR)):
            with pytest.raises(StoreError, match=r'file is not a database.*What to do: '):
                ask()
        assert path.read_bytes() == before
        path.rename(path.with_name('damaged'))
        assert teach(store) == 1
        assert store.counts(extractor=EXTRACTOR) == {'mug': 1}


def test_an_undamaged_file_is_opened_at_once(path: Path) -> None:
    with SampleStore(path, must_open=False):
        assert path.exists()


def test_a_closed_store_does_not_open_its_file_again(path: Path) -> None:
    path.write_bytes(b'label,camera\n' * 1000)
    store = SampleStore(path, must_open=False)
    store.close()
    path.unlink()
    with pytest.raises(StoreError, match='was closed'):
        teach(store)
    assert not path.exists()
