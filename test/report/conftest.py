# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Small synthetic samples with known results, and a data folder to report on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
from edgetpu_retrain.report.analysis.analysis import analyse, Analysis
from edgetpu_retrain.report.analysis.report_data import ReportData
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore, ModelVersion
from edgetpu_retrain.store.samples.sample import StoredSample, TrainingSet
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import numpy.typing as npt
import pytest
from support.samples import add_sample

EXTRACTOR = 'a' * 64
DIMENSION = 16

Teach = Callable[..., list[int]]
SamplesOf = Callable[..., TrainingSet]
AnalysisOf = Callable[..., Analysis]


def embeddings_of(
    labels: Sequence[int], seed: int = 0, spread: float = 1.0
) -> npt.NDArray[np.float32]:
    """Return embeddings around one corner a class, float32 ``[N, 16]``."""
    noise = np.random.default_rng(seed).standard_normal((len(labels), DIMENSION))
    corners = 4.0 * np.eye(DIMENSION)[np.asarray(labels)]
    return np.asarray(corners + spread * noise, np.float32)


@pytest.fixture(scope='session')
def jpeg() -> bytes:
    """Return a picture of 400 x 300 pixels."""
    picture = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    written, content = cv2.imencode('.jpg', picture)
    assert written
    return bytes(content.tobytes())


@pytest.fixture(scope='session')
def samples_of() -> SamplesOf:
    """Make samples with these labels; mislabelled ones lie where another class does."""

    def make(
        labels: Sequence[int],
        names: Sequence[str] = (),
        *,
        truth: Sequence[int] | None = None,
        recordings: Sequence[int] = (),
        seed: int = 0,
        spread: float = 1.0,
    ) -> TrainingSet:
        names = names or [f'class {number}' for number in range(max(labels) + 1)]
        embeddings = embeddings_of(labels if truth is None else truth, seed, spread)
        ids = np.arange(1, len(labels) + 1)
        taken_in = np.array(recordings, np.int64)
        classes = np.array(labels, np.int64)
        return TrainingSet(embeddings, classes, tuple(names), None, ids, taken_in)

    return make


@pytest.fixture(scope='session')
def analysis_of() -> AnalysisOf:
    """Analyse samples as those of a store without models."""

    def make(
        samples: TrainingSet,
        *,
        model: ModelVersion | None = None,
        elsewhere: int = 0,
        has_image: bool = False,
        camera: str = 'front',
    ) -> Analysis:
        stored = {
            number: StoredSample(number, samples.names[label], camera, 0, has_image, number, 0)
            for number, label in zip(samples.ids.tolist(), samples.labels.tolist(), strict=True)
        }
        data = ReportData(Path('/data'), samples, stored, EXTRACTOR, elsewhere, model)
        return analyse(data)

    return make


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Return a data folder, still empty."""
    folder = tmp_path / 'data'
    folder.mkdir()
    return folder


@pytest.fixture
def teach(data_dir: Path) -> Teach:
    """Store samples in the data folder, return their numbers."""

    def add(
        label: str,
        count: int,
        *,
        looks_like: int,
        extractor: str = EXTRACTOR,
        image: bytes | None = None,
        seed: int = 0,
    ) -> list[int]:
        with SampleStore(data_dir / 'samples.db') as store:
            return [
                add_sample(
                    store,
                    label,
                    embedding,
                    extractor=extractor,
                    quantization=None,
                    image=image,
                    camera='front',
                )
                for embedding in embeddings_of([looks_like] * count, seed + looks_like, 0.5)
            ]

    return add


@pytest.fixture
def save_model(data_dir: Path) -> Callable[..., ModelVersion]:
    """Store a model version, trained on these samples a class."""

    def save(counts: dict[str, int], **fields: object) -> ModelVersion:
        classes = len(counts)
        values = {
            'labels': tuple(counts),
            'sample_counts': counts,
            'train_accuracy': 1.0,
            'validation_accuracy': 0.9,
            'quantized_validation_accuracy': 0.9,
            'confusion_matrix': ((0,) * classes,) * classes,
            'extractor': EXTRACTOR,
            'seconds': 1.0,
            **fields,
        }
        record = ModelRecord(**values)  # type: ignore[arg-type]
        return ModelStore(data_dir / 'models').save(b'a model', record)

    return save
