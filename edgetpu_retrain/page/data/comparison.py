# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Compares two model versions, on samples that are new to both if there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.label import BACKGROUND, UNKNOWN
from edgetpu_retrain.learning import Head
from edgetpu_retrain.model_file.head.weights import read_head_weights
from edgetpu_retrain.model_file.metadata.unknown_entry import read_unknown
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.page.data import comparison_words
from edgetpu_retrain.runtime.models.prediction import predict
from edgetpu_retrain.store.files.data_folder import MODELS_FOLDER, SAMPLES_FILE
from edgetpu_retrain.store.models.model_store import ModelStore, ModelVersion
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]

# Maximum number of embeddings that are dequantized at the same time, to limit memory.
_BLOCK_ROWS = 4096


@dataclass(frozen=True, eq=False)
class NewSamples:
    """
    The samples that neither of two versions was trained with.

    Args:
        samples: all samples of the versions' extractor.
        rows: int64 ``[N]``, the rows of the new samples in ``samples``.
        other_recordings: number of new samples from recordings without older samples.
    """

    samples: TrainingSet
    rows: npt.NDArray[np.intp]
    other_recordings: int

    @property
    def truths(self) -> list[str]:
        """The label of each new sample."""
        return [self.samples.names[label] for label in self.samples.labels[self.rows]]


def compare(folder: Path, first: int, second: int) -> dict[str, Any]:
    """
    Compare two versions on the samples that neither was trained with.

    If no samples are known to be new to both, the result has the figures that each training
    measured on its own held-out samples.

    Args:
        folder: the data folder.
        first: number of a version.
        second: number of another version.

    Returns:
        ``a`` and ``b``: the figures of the versions: ``version``, ``accuracy``, and ``per_class``
        with ``label``, ``accuracy`` and ``count``; ``samples``: number of new samples;
        ``basis``: 'new' for new samples, 'own' for each training's own held-out samples;
        ``words``: sentences that explain the comparison.

    Raises:
        RequestError: if both numbers are equal.
        StoreError: if a version does not exist, or a file cannot be read.
        ModelFileError: if a version is not a retrained model.
    """
    if first == second:
        raise RequestError(f'Both versions are {first}: select two different ones to compare.')
    models = ModelStore(folder / MODELS_FOLDER)
    one, one_model = models.read(first)
    other, other_model = models.read(second)
    reason = _why_not(one, other)
    new = None if reason else _new_samples(folder, one, other)
    if new is None or not len(new.rows):
        return {
            'a': _own_figures(one),
            'b': _own_figures(other),
            'samples': 0,
            'basis': 'own',
            'words': comparison_words.own(one, other, reason),
        }
    truths = new.truths
    rights = _right(one, one_model, new, truths), _right(other, other_model, new, truths)
    return {
        'a': _figures(first, truths, rights[0]),
        'b': _figures(second, truths, rights[1]),
        'samples': len(truths),
        'basis': 'new',
        'words': comparison_words.new(one, other, rights, truths, new.other_recordings),
    }


def _why_not(one: ModelVersion, other: ModelVersion) -> str:
    """Return why the versions cannot be compared on new samples; '' if they can be."""
    if one.record.extractor != other.record.extractor:
        return comparison_words.OTHER_EXTRACTORS
    for each in (one, other):
        if not each.record.newest_sample:
            return comparison_words.not_recorded(each.version)
    return ''


def _new_samples(folder: Path, one: ModelVersion, other: ModelVersion) -> NewSamples | None:
    database = folder / SAMPLES_FILE
    # Opening a missing store would create an empty one.
    if not database.is_file():
        return None
    with SampleStore(database) as store:
        samples = store.training_set(extractor=one.record.extractor)
    # Ids only increase, so samples that were stored later have larger ones.
    newest = max(one.record.newest_sample, other.record.newest_sample)
    is_new = samples.ids > newest
    seen = np.unique(samples.recordings[~is_new])
    others = int((~np.isin(samples.recordings[is_new], seen)).sum())
    return NewSamples(samples, np.flatnonzero(is_new), others)


def _right(
    version: ModelVersion, model: bytes, new: NewSamples, truths: Sequence[str]
) -> BoolArray:
    """Return whether a version classifies each new sample correctly, bool ``[N]``."""
    samples, labels = new.samples, version.record.labels
    weights, bias = read_head_weights(model)
    head = Head(weights, bias, unknown=read_unknown(model, len(weights)))
    found: list[str] = []
    for rows in np.array_split(new.rows, len(new.rows) // _BLOCK_ROWS + 1):
        real = dequantize(samples.embeddings[rows], samples.quantization)
        unlike_all = np.zeros(len(rows), bool)
        if head.unknown is not None:
            unlike_all = head.unknown_scores(real) > head.unknown_threshold
        for scores, unlike in zip(head.predict_proba(real), unlike_all.tolist(), strict=True):
            best = predict(scores, labels, unlike_all=unlike, background_label=BACKGROUND)
            found.append(UNKNOWN if best.is_unknown else labels[best.best])
    known = {*labels} - {BACKGROUND}
    wanted = [truth if truth in known else UNKNOWN for truth in truths]
    right: BoolArray = np.array(found) == np.array(wanted)
    return right


def _figures(version: int, truths: Sequence[str], right: BoolArray) -> dict[str, Any]:
    """Return the figures of a version, measured on the new samples."""
    tally: dict[str, list[bool]] = {}
    for truth, is_right in zip(truths, right.tolist(), strict=True):
        tally.setdefault(truth, []).append(is_right)
    classes = [(label, sum(rights), len(rights)) for label, rights in tally.items()]
    return _as_json(version, float(right.mean()), classes)


def _own_figures(found: ModelVersion) -> dict[str, Any]:
    """Return the figures that a version's training measured on its held-out samples."""
    record = found.record
    classes = [
        (label, row[number], sum(row))
        for number, (label, row) in enumerate(
            zip(record.labels, record.confusion_matrix, strict=True)
        )
    ]
    return _as_json(found.version, record.validation_accuracy, classes)


def _as_json(
    version: int, accuracy: float | None, classes: Sequence[tuple[str, int, int]]
) -> dict[str, Any]:
    per_class = [
        {'label': label, 'accuracy': right / count if count else None, 'count': count}
        for label, right, count in classes
    ]
    return {'version': version, 'accuracy': accuracy, 'per_class': per_class}
