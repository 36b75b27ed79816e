# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import datetime, timedelta, timezone
import json
from typing import Any

from edgetpu_retrain.store.models.model_record import matrix_rows, ModelRecord
import numpy as np
import pytest

FIELDS: dict[str, Any] = {
    'labels': ('mug', 'hät'),
    'sample_counts': {'mug': 12, 'hät': 8},
    'train_accuracy': 1.0,
    'validation_accuracy': 0.75,
    'quantized_validation_accuracy': 0.5,
    'confusion_matrix': ((2, 0), (1, 1)),
    'extractor': 'a' * 64,
    'seconds': 0.25,
    'parent_version': 3,
    'options': {'num_iter': 500, 'learning_rate': 0.01},
    'thresholds': {'unknown_threshold': -0.25},
    'held_out_unit': 'blocks',
    'newest_sample': 45,
}


def test_a_record_survives_json() -> None:
    record = ModelRecord(**FIELDS)
    assert ModelRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_a_record_is_stamped_with_the_time_in_utc() -> None:
    created = datetime.fromisoformat(ModelRecord(**FIELDS).created)
    assert created.utcoffset() == timedelta(0)
    assert abs(datetime.now(timezone.utc) - created) < timedelta(hours=1)


def test_fields_of_a_later_release_are_ignored() -> None:
    record = ModelRecord(**FIELDS)
    assert ModelRecord.from_json({**record.to_json(), 'colours': [0.5]}) == record


def test_a_record_of_an_older_release_has_fewer_fields() -> None:
    values = ModelRecord(**FIELDS).to_json()
    del values['thresholds'], values['held_out_unit'], values['newest_sample']
    record = ModelRecord.from_json(values)
    assert (record.thresholds, record.held_out_unit, record.newest_sample) == ({}, '', 0)


def test_rows_of_a_confusion_matrix_are_plain_numbers() -> None:
    rows = matrix_rows(np.array([[2, 0], [1, 1]]))
    assert rows == ((2, 0), (1, 1))
    assert json.dumps(rows) == '[[2, 0], [1, 1]]'


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('labels', ()),
        ('labels', ('mug', 'mug')),
        ('sample_counts', {'mug': 12}),
        ('train_accuracy', 1.5),
        ('validation_accuracy', float('nan')),
        ('quantized_validation_accuracy', -0.1),
        ('confusion_matrix', ((2, 0),)),
        ('confusion_matrix', ((2, 0), (1,))),
        ('seconds', float('inf')),
        ('parent_version', -1),
        ('thresholds', {'unknown_threshold': float('inf')}),
        ('thresholds', {'unknown_threshold': '0.5'}),
        ('created', 'yesterday'),
    ],
)
def test_a_field_that_cannot_be_true_is_named(field: str, value: object) -> None:
    words = field if field != 'created' else 'isoformat'
    with pytest.raises(ValueError, match=words):
        ModelRecord(**{**FIELDS, field: value})


@pytest.mark.parametrize(
    'damage',
    [
        {'labels': None},
        {'labels': [1, 2]},
        {'confusion_matrix': 7},
        {'train_accuracy': 'good'},
        {'thresholds': [0.5]},
    ],
)
def test_json_of_a_wrong_type_is_rejected(damage: dict[str, object]) -> None:
    values = {**ModelRecord(**FIELDS).to_json(), **damage}
    with pytest.raises((ValueError, TypeError)):
        ModelRecord.from_json(values)


@pytest.mark.parametrize('missing', ['labels', 'confusion_matrix', 'extractor'])
def test_json_without_a_field_is_rejected(missing: str) -> None:
    values = ModelRecord(**FIELDS).to_json()
    del values[missing]
    with pytest.raises((KeyError, TypeError), match=missing):
        ModelRecord.from_json(values)
