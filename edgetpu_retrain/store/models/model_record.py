# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelRecord: what is written beside a model, so that each of its answers can be traced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
import dataclasses
from dataclasses import dataclass, field
from datetime import datetime, timezone
import math
from typing import Any, TypeGuard

from edgetpu_retrain.label import check_label
from edgetpu_retrain.learning.arrays import IntArray

# Counts in messages and arrays have 64 bits.
_COUNT_END = 2**63


def _utc_now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec='seconds')


@dataclass(frozen=True)
class ModelRecord:
    """
    What a model was trained on, and its accuracy.

    Args:
        labels: class names in the order of the model's outputs.
        sample_counts: number of samples by class name, including held-out ones.
        train_accuracy: accuracy of the float head on the training samples.
        validation_accuracy: held-out accuracy of the float head; None if there were too few
            samples to measure it.
        quantized_validation_accuracy: the same for the head inside the .tflite file.
        confusion_matrix: held-out samples; rows = truth, columns = prediction of the float head,
            both in the order of ``labels``.
        extractor: identity of the extractor, the SHA-256 of its file.
        seconds: duration of the training.
        parent_version: the newest version before this one, 0 = none.
        options: the training options by name.
        thresholds: finite thresholds of the model by name, such as ``unknown``.
        created: time in UTC, ISO 8601.

    Raises:
        ValueError: if the fields contradict each other; the message names the field.
    """

    labels: tuple[str, ...]
    sample_counts: Mapping[str, int]
    train_accuracy: float
    validation_accuracy: float | None
    quantized_validation_accuracy: float | None
    confusion_matrix: tuple[tuple[int, ...], ...]
    extractor: str
    seconds: float
    parent_version: int = 0
    options: Mapping[str, int | float | None] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    created: str = field(default_factory=_utc_now)

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise ValueError(f'labels is {self.labels}; it must be different names, 1 or more')
        if set(self.sample_counts) != set(self.labels):
            raise ValueError(
                f'sample_counts is for {tuple(self.sample_counts)}; it must be for the labels '
                f'{self.labels}'
            )
        for name in ('train_accuracy', 'validation_accuracy', 'quantized_validation_accuracy'):
            share = getattr(self, name)
            if share is None and name != 'train_accuracy':
                continue
            if not 0.0 <= share <= 1.0:
                raise ValueError(f'{name} is {share}; it must be from 0 to 1')
        matrix = self.confusion_matrix
        if any(len(row) != len(self.labels) for row in (matrix, *matrix)):
            raise ValueError(
                f'confusion_matrix is {matrix}; it must have a row and a column '
                f'for each of {len(self.labels)} labels'
            )
        if not (math.isfinite(self.seconds) and self.seconds >= 0.0):
            raise ValueError(f'seconds is {self.seconds}; it must be 0 or more')
        if self.parent_version < 0:
            raise ValueError(f'parent_version is {self.parent_version}; it must be 0 or more')
        for name, value in self.thresholds.items():
            if not _is_finite_number(value):
                raise ValueError(f'thresholds has {name} = {value!r}; it must be a finite number')
        datetime.fromisoformat(self.created)

    def to_json(self) -> dict[str, Any]:
        """Return the fields in types that :mod:`json` can write."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModelRecord:
        """
        Return the record from what :meth:`to_json` returned.

        Args:
            values: the fields by name; unknown names, of later releases, are ignored.

        Raises:
            ValueError, TypeError, KeyError, OverflowError: if a field is missing or of a wrong
                type.
        """
        known = {each.name for each in dataclasses.fields(cls)}
        fields = {name: value for name, value in values.items() if name in known}
        for name, value in fields.items():
            _check_type(name, value)
        labels = [check_label(label, taught_before=True) for label in values['labels']]
        fields['labels'] = tuple(labels)
        fields['confusion_matrix'] = matrix_rows(values['confusion_matrix'])
        return cls(**fields)


def matrix_rows(matrix: IntArray | Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Return a matrix of counts as nested tuples, as in a record."""
    return tuple(tuple(int(count) for count in row) for row in matrix)


def _is_finite_number(value: object) -> bool:
    return _is_number(value) and math.isfinite(value)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < _COUNT_END


def _is_list_of(values: object, is_one: Callable[[Any], bool]) -> bool:
    return isinstance(values, list | tuple) and all(map(is_one, values))


def _is_table_of(values: object, is_one: Callable[[Any], bool]) -> bool:
    # Names in JSON are always text.
    return isinstance(values, dict) and all(map(is_one, values.values()))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


# The check of each field's type.
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    'labels': lambda values: _is_list_of(values, _is_text),
    'sample_counts': lambda values: _is_table_of(values, _is_count),
    'train_accuracy': _is_number,
    'validation_accuracy': lambda value: value is None or _is_number(value),
    'quantized_validation_accuracy': lambda value: value is None or _is_number(value),
    'confusion_matrix': lambda rows: _is_list_of(rows, lambda row: _is_list_of(row, _is_count)),
    'extractor': _is_text,
    'seconds': _is_number,
    'parent_version': _is_count,
    'options': lambda values: _is_table_of(values, lambda each: each is None or _is_number(each)),
    'thresholds': lambda values: _is_table_of(values, _is_number),
    'created': _is_text,
}


def _check_type(name: str, value: object) -> None:
    if not _TYPES[name](value):
        raise TypeError(f'{name} is {value!r:.80}, which no release wrote')
