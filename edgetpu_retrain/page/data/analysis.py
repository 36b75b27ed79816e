# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Analyses the samples of a data folder, and returns the result as values for JSON."""

from __future__ import annotations

from collections.abc import Iterator
import hashlib
import math
from pathlib import Path
from typing import Any

from edgetpu_retrain.report.analysis.analysis import analyse, Analysis, OnStep
from edgetpu_retrain.report.analysis.report_data import read_report_data
from edgetpu_retrain.report.words.conclusions import conclude, what_was_held_out
from edgetpu_retrain.report.words.phrases import shown
from edgetpu_retrain.report.words.summary import summary_of
from edgetpu_retrain.store.files.data_folder import MODELS_FOLDER, SAMPLES_FILE
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.samples.sample_store import SampleStore

STEPS = 5
"""Number of steps of an analysis, for its progress."""


def analyse_folder(folder: Path, on_step: OnStep) -> dict[str, Any]:
    """
    Analyse the samples of a data folder, which takes as long as about 25 trainings.

    Args:
        folder: the data folder.
        on_step: called at the start of each of :data:`STEPS` steps with its description.

    Returns:
        The values of :func:`as_json`, and the :func:`fingerprint` of the folder.

    Raises:
        RequestError: if there are no samples, only one class, or no samples of the extractor of
            the serving version.
        StoreError: if samples or models cannot be read.
    """
    about = fingerprint(folder)
    on_step('reading the samples')
    return {**as_json(analyse(read_report_data(folder, 0), on_step)), 'fingerprint': about}


def as_json(analysis: Analysis) -> dict[str, Any]:
    """Return an analysis as values for JSON; a figure that was not measured is None."""
    top = conclude(analysis)
    summary = summary_of(analysis, top)
    curve = analysis.learning
    return {
        'enough': 'yes' if top.mood == 'good' else top.mood,
        'headline': top.headline,
        'advice': summary['sentences'],
        'problems': summary['problems'],
        'accuracy': _measured(analysis.accuracy),
        'samples': analysis.evaluated,
        'held_out_unit': summary['held_out_unit'],
        'held_out_words': what_was_held_out(analysis) if analysis.evaluated else '',
        'labels': list(analysis.names),
        'confusion': analysis.confusion.tolist(),
        'cells': analysis.confused,
        'suspects': [
            {
                'id': each['sample_id'],
                'label': each['label'],
                'suggested': each['looks_like'],
                'certainty': each['probability_wrong'],
            }
            for each in summary['suspicious_labels']
        ],
        'per_class': list(_per_class(analysis)),
        'learning_curve': []
        if curve is None
        else [
            list(point)
            for point in zip(curve.sizes.tolist(), curve.accuracies.tolist(), strict=True)
        ],
    }


def fingerprint(folder: Path) -> str:
    """
    Return a fingerprint of a data folder, which shows whether an analysis is outdated.

    The fingerprint depends on the id and label of each sample, and on the number of the newest
    model version.

    Raises:
        StoreError: if the samples or the folder of models cannot be read.
    """
    digest, database, models = hashlib.blake2b(), folder / SAMPLES_FILE, folder / MODELS_FOLDER
    # Opening a missing store would create an empty one.
    if database.is_file():
        with SampleStore(database) as store, store.snapshot() as snapshot:
            for row in snapshot.labels():
                digest.update(repr(row).encode())
    newest = ModelStore(models).newest_version() if models.is_dir() else 0
    return f'{newest} {digest.hexdigest()}'


def _per_class(analysis: Analysis) -> Iterator[dict[str, Any]]:
    units = analysis.held_out.units or (None,) * len(analysis.names)
    for number, (label, samples) in enumerate(analysis.data.counts.items()):
        right, count = (
            int(analysis.confusion[number, number]),
            int(analysis.confusion[number].sum()),
        )
        yield {
            'label': shown(label),
            'samples': samples,
            'accuracy': right / count if count else None,
            'count': count,
            'held_out_unit': units[number],
            'unknown': _measured(float(analysis.noticed[number])),
        }


def _measured(share: float) -> float | None:
    return None if math.isnan(share) else share
