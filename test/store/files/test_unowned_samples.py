# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.store.files.ownership import Ownership
from edgetpu_retrain.store.files.unowned_samples import has_unowned_samples
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
from support.samples import add_sample


def test_only_a_folder_with_samples_and_without_an_owner_has_them(tmp_path: Path) -> None:
    folder = tmp_path / 'data'
    assert not has_unowned_samples(folder)
    assert not folder.exists()
    with SampleStore(folder / 'samples.db') as store:
        assert not has_unowned_samples(folder)
        add_sample(store, 'mug', np.zeros(8, np.float32), extractor='a' * 64, quantization=None)
    assert has_unowned_samples(folder)
    with Ownership(folder):
        assert not has_unowned_samples(folder)
    assert has_unowned_samples(folder)


def test_a_file_that_is_no_database_has_none(tmp_path: Path) -> None:
    (tmp_path / 'samples.db').write_bytes(b'no database' * 1000)
    assert not has_unowned_samples(tmp_path)
