# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelRecord: what a model was trained on, and its accuracy; stored next to the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import dataclasses
from dataclasses import dataclass, field
from datetime import datetime, timezone
import math
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from edgetpu_retrain.label import check_label
from edgetpu_retrain.learning.arrays import IntArray

# Counts must fit into int64 arrays.
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
        train_accuracy: accuracy of the float head on all samples, 0 to 1.
        validation_accuracy: accuracy on held-out samples, by float heads that were trained without
            them, 0 to 1; None if no samples were held out.
        quantized_validation_accuracy: ``validation_accuracy`` minus the loss by quantization of
            the head, 0 to 1; None if no samples were held out.
        confusion_matrix: numbers of held-out samples; rows = truth, columns = prediction, as for
            ``validation_accuracy``; both in the order of ``labels``.
        extractor: identity of the extractor.
        seconds: duration of the training, seconds.
        parent_version: number of the newest version before this one; 0 = none.
        options: the training options, by name.
        thresholds: finite thresholds of the model, by name, such as ``unknown``.
        input_range: normalization of a float32 input, such as '-1..1'; '' for a quantized input,
            and in records of earlier releases.
        held_out_unit: the worst unit in which a class was held out: 'recordings', 'blocks' or, as
            the worst, 'frames'; '' if nothing was held out, and in records of earlier releases.
        newest_sample: largest id of the training samples; samples with larger ids are new to the
            model.  0 if the training samples were not stored, and in records of earlier releases.
        created: time of the training, ISO 8601 in UTC.

    Raises:
        ValueError: if a field is invalid, or contradicts another one.
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
    input_range: str = ''
    held_out_unit: str = ''
    newest_sample: int = 0
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
            if not (_has_type(value, float) and math.isfinite(value)):
                raise ValueError(f'thresholds has {name} = {value!r}; it must be a finite number')
        datetime.fromisoformat(self.created)

    def to_json(self) -> dict[str, Any]:
        """Return the fields by name, in types that :mod:`json` can write."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModelRecord:
        """
        Create a record from the return value of :meth:`to_json`.

        Args:
            values: the fields by name; unknown names, such as those of a later release, are
                ignored.

        Raises:
            ValueError, TypeError, KeyError, OverflowError: if a field is missing, invalid or of a
                wrong type.
        """
        types = get_type_hints(cls)
        fields = {name: value for name, value in values.items() if name in types}
        for name, value in fields.items():
            if not _has_type(value, types[name]):
                raise TypeError(f'{name} is {value!r:.80}, which no release wrote')
        labels = [check_label(label, taught_before=True) for label in values['labels']]
        fields['labels'] = tuple(labels)
        fields['confusion_matrix'] = matrix_rows(values['confusion_matrix'])
        return cls(**fields)


def matrix_rows(matrix: IntArray | Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Convert a matrix of counts ``[C, C]`` to nested tuples of Python integers."""
    return tuple(tuple(int(count) for count in row) for row in matrix)


def _has_type(value: object, kind: Any) -> bool:
    """Return whether a value from JSON has a field's type; integers must not be negative."""
    parts = get_args(kind)
    if get_origin(kind) is UnionType:
        return any(_has_type(value, part) for part in parts)
    if get_origin(kind) is tuple:
        return isinstance(value, list | tuple) and all(_has_type(each, parts[0]) for each in value)
    if get_origin(kind) is Mapping:
        # Keys in JSON are always strings.
        return isinstance(value, dict) and all(_has_type(e, parts[1]) for e in value.values())
    if kind is int:
        return type(value) is int and 0 <= value < _COUNT_END
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind)
