# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The list of model versions."""

from __future__ import annotations

import json

from edgetpu_retrain.page.data.models import list_models
from support.taught_folder import TaughtFolder


def test_versions_have_their_figures_newest_first(folder: TaughtFolder) -> None:
    folder.add('hat', 15, 1)
    folder.add('mug', 15, 0)
    record = folder.train().record
    folder.train()
    found = json.loads(json.dumps(list_models(folder.path, 1)))
    assert found['serving'] == 1
    newest, first = found['versions']
    assert (newest['version'], newest['serving']) == (2, False)
    assert (first['version'], first['serving']) == (1, True)
    assert first['labels'] == ['hat', 'mug']
    assert first['sample_counts'] == [15, 15]
    assert first['validation_accuracy'] == record.validation_accuracy
    assert first['confusion_matrix'] == [list(row) for row in record.confusion_matrix]
    assert first['held_out_unit'] == 'blocks'
    assert first['size_bytes'] > 1000


def test_a_damaged_record_hides_no_other_version(folder: TaughtFolder) -> None:
    folder.add('hat', 3, 1)
    folder.add('mug', 3, 0)
    folder.train()
    folder.train()
    (folder.path / 'models' / 'model_000002.json').write_text('{')
    found = list_models(folder.path, 1)
    assert [each['version'] for each in found['versions']] == [1]
    (damaged,) = found['damaged']
    assert damaged['version'] == 2
    assert 'model_000002.json is damaged' in damaged['message']


def test_before_the_first_training_there_are_none(folder: TaughtFolder) -> None:
    assert list_models(folder.path, 0) == {'serving': 0, 'versions': [], 'damaged': []}
    assert not any(folder.path.iterdir())
