# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.store.samples.known_extractors import has_used
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
from support.samples import add_sample


def test_a_folder_knows_the_extractors_that_made_its_samples(tmp_path: Path) -> None:
    folder = tmp_path / 'data'
    assert not has_used(folder, 'a' * 64)
    assert not folder.exists()
    with SampleStore(folder / 'samples.db') as store:
        add_sample(store, 'mug', np.zeros(8, np.float32), extractor='a' * 64, quantization=None)
        assert has_used(folder, 'a' * 64)
    assert has_used(folder, 'a' * 64)
    assert not has_used(folder, 'b' * 64)


def test_a_file_that_is_no_database_knows_none(tmp_path: Path) -> None:
    (tmp_path / 'samples.db').write_bytes(b'no database' * 1000)
    assert not has_used(tmp_path, 'a' * 64)
