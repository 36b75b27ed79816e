# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the data of a report: the samples of one extractor, and a model version."""

from __future__ import annotations

from collections.abc import Mapping
import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.store.files.data_folder import MODELS_FOLDER, SAMPLES_FILE
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_store import ModelStore, ModelVersion
from edgetpu_retrain.store.samples.sample import StoredSample, TrainingSet
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np


@dataclass(frozen=True, eq=False)
class ReportData:
    """
    The data of a report.

    Args:
        folder: the data folder.
        samples: all samples of one extractor, two classes or more.
        stored: the records of samples by id; a sample that was added while the store was read
            has none.
        extractor: identity of the extractor of ``samples``.
        elsewhere: number of samples with embeddings of other extractors only.
        model: the version to report on; None before the first training.
    """

    folder: Path
    samples: TrainingSet
    stored: Mapping[int, StoredSample]
    extractor: str
    elsewhere: int
    model: ModelVersion | None

    @property
    def options(self) -> TrainingOptions:
        """The training options of the version, or the default options if there is no version."""
        if self.model is None:
            return TrainingOptions()
        # A later release may have stored the version: ignore options that this release lacks.
        known = {each.name for each in dataclasses.fields(TrainingOptions)}
        given = {name: value for name, value in self.model.record.options.items() if name in known}
        return TrainingOptions(**given).validated()  # type: ignore[arg-type]

    @property
    def counts(self) -> dict[str, int]:
        """Number of samples, by class name."""
        counts = np.bincount(self.samples.labels, minlength=len(self.samples.names))
        return dict(zip(self.samples.names, counts.tolist(), strict=True))

    @property
    def pictures(self) -> int:
        """Number of samples with a stored picture."""
        return sum(each.has_image for each in self.stored.values())

    def changes_since_training(self) -> tuple[tuple[str, int, int], ...]:
        """Return name, old and new number of samples of each class whose number has changed."""
        if self.model is None:
            return ()
        then, now = dict(self.model.record.sample_counts), self.counts
        changes = ((name, then.get(name, 0), now.get(name, 0)) for name in then | now)
        return tuple(change for change in changes if change[1] != change[2])


def read_report_data(data_dir: Path, version: int) -> ReportData:
    """
    Read the data of a report.

    Args:
        data_dir: the data folder of the node or the command line.
        version: number of a model version; 0 = the serving one, or the latest if none serves.

    Raises:
        RequestError: if there are no samples, only one class, no samples of the version's
            extractor, or no folder of models although a version is given.
        StoreError: if samples or models cannot be read, or there is no such version.
    """
    folder = Path(data_dir).absolute()
    database = folder / SAMPLES_FILE
    # Opening a missing store would create an empty one.
    if not database.is_file():
        raise RequestError(
            f'There is nothing to report: {folder} has no samples ({SAMPLES_FILE} is missing). '
            'Teach some first, or name the data_dir that has them.'
        )
    model = _model(folder / MODELS_FOLDER, version)
    with SampleStore(database) as store:
        extractor = _extractor(store, model)
        stored = {each.sample_id: each for each in store.list_samples(extractor=extractor)}
        samples = store.training_set(extractor=extractor)
        elsewhere = store.unembedded(extractor=extractor).samples
    if len(samples.names) < 2:
        raise RequestError(
            f'There is nothing to tell apart: {folder} has samples of {samples.names[0]!r} only. '
            'Add samples of a second class.'
        )
    return ReportData(folder, samples, stored, extractor, elsewhere, model)


def _model(folder: Path, version: int) -> ModelVersion | None:
    if not folder.is_dir():
        if version:
            raise RequestError(
                f'There is no model version {version}: {folder} does not exist. Train first, or '
                'leave the version out.'
            )
        return None
    models = ModelStore(folder)
    versions = (version,) if version else ChoiceFile(models).versions_to_try()
    for candidate in versions:
        with contextlib.suppress(StoreError):
            return models.load(candidate)
    # No version is usable: loading the first one raises an error with the reason.
    return models.load(versions[0]) if versions else None


def _extractor(store: SampleStore, model: ModelVersion | None) -> str:
    """Return the identity of the version's extractor; without a version, the newest sample's."""
    known = store.extractors()
    if not known:
        raise RequestError(
            f'There is nothing to report: {store.path} has no sample. Teach some first.'
        )
    if model is None:
        return next(iter(known))
    extractor = model.record.extractor
    if extractor not in known:
        others = ', '.join(f'{count} of {name[:12]}' for name, count in known.items())
        raise RequestError(
            f'Model version {model.version} was trained with extractor {extractor[:12]}, of which '
            f'{store.path} has no sample (it has {others}). Name another version, or let the '
            'node embed the samples again (~/reembed_samples) and train.'
        )
    return extractor
