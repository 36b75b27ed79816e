# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
import dataclasses
import hashlib
from pathlib import Path
from typing import Any

from edgetpu_retrain.errors import ModelFileError, RequestError
from edgetpu_retrain.learning import Progress
from edgetpu_retrain.model_file.metadata.labels import read_labels
from edgetpu_retrain.model_file.quantization import dequantize, QuantizationParameters
from edgetpu_retrain.retraining import (
    check_quantized,
    QuantizationLoss,
    retrain,
    TrainingCancelled,
)
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.runtime.models.unknown_detection import UnknownDetection
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.training_options import MAX_LEARNING_RATE, MAX_REG, TrainingOptions
import numpy as np
import numpy.typing as npt
import pytest
from support.samples import add_sample
from support.small_models import build_extractor

Picture = npt.NDArray[np.uint8]

NAMES = ('mug', 'hat', 'dog')
OPTIONS = TrainingOptions(num_iter=300, learning_rate=0.2, batch_size=20)


def picture_of(name: str, take: int, noise: float = 20.0) -> Picture:
    """Return one of many noisy pictures of a thing."""
    thing = np.random.default_rng(NAMES.index(name)).integers(0, 256, (8, 8, 3))
    rng = np.random.default_rng([NAMES.index(name), take])
    return np.clip(thing + rng.normal(0.0, noise, thing.shape), 0, 255).astype(np.uint8)


def teach(
    extractor_model: bytes, folder: Path, names: tuple[str, ...] = NAMES, takes: int = 15
) -> TrainingSet:
    extractor = Extractor(extractor_model, device='cpu')
    about = extractor.description
    with SampleStore(folder / 'samples.db') as store:
        for take in range(takes):
            for name in names:
                embedding = extractor.embed(picture_of(name, take))
                add_sample(
                    store,
                    name,
                    embedding,
                    extractor=about.identity,
                    quantization=about.quantization,
                )
        return store.training_set(extractor=about.identity)


@pytest.fixture(scope='module')
def extractor_model() -> bytes:
    return build_extractor('uint8', dimension=16)


@pytest.fixture(scope='module')
def samples(extractor_model: bytes, tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return teach(extractor_model, tmp_path_factory.mktemp('samples'))


@pytest.mark.parametrize('rank', [2, 4])
@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'float32'])
def test_a_trained_model_classifies_new_pictures(dtype: str, rank: int, tmp_path: Path) -> None:
    extractor_model = build_extractor(dtype, dimension=16, rank=rank)
    outcome = retrain(teach(extractor_model, tmp_path), extractor_model, OPTIONS)
    models = ModelStore(tmp_path / 'models')
    saved = models.save(outcome.model, outcome.record())
    classifier = Classifier(models.load(saved.version).read_model(), device='cpu')
    assert classifier.labels == outcome.head.labels == NAMES
    for name in NAMES:
        for take in range(100, 110):
            scores = classifier.classify(picture_of(name, take)).scores
            assert NAMES[int(np.argmax(scores))] == name


def test_the_outcome_has_the_origin_of_the_model(
    samples: TrainingSet, extractor_model: bytes
) -> None:
    outcome = retrain(samples, extractor_model, OPTIONS)
    assert read_labels(outcome.model) == NAMES
    assert outcome.sample_counts == dict.fromkeys(NAMES, 15)
    assert outcome.extractor == hashlib.sha256(extractor_model).hexdigest()
    assert outcome.options == OPTIONS
    assert outcome.record().newest_sample == outcome.newest_sample == samples.ids.max() == 45
    # Too few to hold any out: each but near copies is judged by a head that did not see it.
    matrix = outcome.report.confusion_matrix
    assert matrix.sum(axis=1).min() >= 8
    assert matrix.sum(axis=1).max() == 15
    assert outcome.report.accuracy == np.trace(matrix) / matrix.sum() >= 0.9
    assert outcome.report.train_accuracy >= 0.9
    assert outcome.seconds > 0
    measuring = outcome.report.measuring_iterations
    assert (
        f'Trained 3 classes on 45 samples in {300 + measuring} iterations, {measuring} of them to '
        'measure the accuracy.' in outcome.message
    )
    assert outcome.quantized_validation_accuracy == 1.0
    assert 'No mistake after quantization either.' in outcome.message


def test_samples_are_held_out_if_there_are_enough(extractor_model: bytes, tmp_path: Path) -> None:
    samples = teach(extractor_model, tmp_path, takes=50)
    options = dataclasses.replace(OPTIONS, validation_fraction=0.4)
    outcome = retrain(samples, extractor_model, options)
    assert outcome.report.method == 'held-out split'
    assert outcome.report.confusion_matrix.sum(axis=1).tolist() == [20, 20, 20]
    matrix = outcome.report.confusion_matrix
    assert outcome.report.accuracy == np.trace(matrix) / matrix.sum()


def test_quantization_that_costs_too_much_is_rejected(
    extractor_model: bytes, tmp_path: Path
) -> None:
    samples = teach(extractor_model, tmp_path, takes=50)
    # All scores are about 1/3: the head can tell them apart, steps of 1/256 cannot.
    options = TrainingOptions(num_iter=1, learning_rate=1e-9, reg=0.0, weight_scale=1e-12)
    with pytest.raises(QuantizationLoss, match='Quantization would cost too much'):
        retrain(samples, extractor_model, options)


def test_one_sample_per_class_is_enough(extractor_model: bytes, tmp_path: Path) -> None:
    outcome = retrain(teach(extractor_model, tmp_path, takes=1), extractor_model, OPTIONS)
    assert outcome.report.method == 'none'
    assert np.isnan(outcome.report.accuracy)
    classifier = Classifier(outcome.model, device='cpu')
    right = [
        NAMES[int(np.argmax(classifier.classify(picture_of(name, 100)).scores))] == name
        for name in NAMES
    ]
    assert all(right)


def test_the_same_samples_and_seed_give_the_same_file(
    samples: TrainingSet, extractor_model: bytes
) -> None:
    model = retrain(samples, extractor_model, OPTIONS).model
    assert retrain(samples, extractor_model, OPTIONS).model == model
    other = dataclasses.replace(OPTIONS, seed=1)
    assert retrain(samples, extractor_model, other).model != model


def test_progress_is_reported_at_the_requested_iterations(
    samples: TrainingSet, extractor_model: bytes
) -> None:
    reports: list[Progress] = []
    options = dataclasses.replace(OPTIONS, num_iter=50, print_every=20)
    retrain(samples, extractor_model, options, on_progress=reports.append)
    # Five heads that judge what they did not see, and the one that stays.
    assert [report.iteration for report in reports] == [
        50 * run + each for run in range(6) for each in (0, 20, 40)
    ]
    assert {report.num_iter for report in reports} == {300}
    assert reports[-1].loss < reports[0].loss
    assert reports[-1].validation_accuracy > 0.8
    assert reports[-1].train_accuracy > 0.8


def test_nothing_is_printed(
    samples: TrainingSet, extractor_model: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    retrain(samples, extractor_model, OPTIONS, on_progress=lambda _progress: None)
    assert capsys.readouterr() == ('', '')


def asked(times: int) -> Callable[[], bool]:
    """Return a question whose answer is True from the given time on."""
    answers = iter([False] * (times - 1) + [True])
    return lambda: next(answers)


def test_cancelling_ends_before_the_next_iteration(
    samples: TrainingSet, extractor_model: bytes
) -> None:
    reports: list[Progress] = []
    options = dataclasses.replace(OPTIONS, print_every=1)
    # A fourth iteration would ask once more, and the iterator is at its end then.
    with pytest.raises(TrainingCancelled, match='cancelled after iteration 3;'):
        retrain(
            samples, extractor_model, options, on_progress=reports.append, should_stop=asked(4)
        )
    assert [report.iteration for report in reports] == [0, 1, 2]


def test_cancelling_works_at_every_moment(samples: TrainingSet, extractor_model: bytes) -> None:
    options = dataclasses.replace(OPTIONS, num_iter=3)
    count = 0

    def count_questions() -> bool:
        nonlocal count
        count += 1
        return False

    retrain(samples, extractor_model, options, should_stop=count_questions)
    # Before each iteration of six runs, and at least twice when the head is there.
    assert count >= 6 * 3 + 2
    for question in range(1, count + 1):
        with pytest.raises(TrainingCancelled, match='there is no new model'):
            retrain(samples, extractor_model, options, should_stop=asked(question))


def test_whole_recordings_are_held_out(samples: TrainingSet, extractor_model: bytes) -> None:
    visits = dataclasses.replace(samples, recordings=np.arange(45) // 15)
    outcome = retrain(visits, extractor_model, OPTIONS)
    assert outcome.report.held_out_unit == outcome.record().held_out_unit == 'recordings'
    for once in (samples, dataclasses.replace(samples, recordings=np.empty(0, np.int64))):
        outcome = retrain(once, extractor_model, OPTIONS)
        assert outcome.report.held_out_unit != 'recordings'
        assert outcome.message.count('taught in one go') == 1


@pytest.mark.parametrize(
    ('counts', 'words'),
    [
        ({}, 'no class was taught. Add samples of at least two'),
        ({'mug': 5}, "only 'mug' was taught. Add samples of at least two"),
        ({'mug': 5, 'Unknown': 5}, "class 'Unknown' cannot be trained: .*Relabel or remove"),
        ({'mug': 5, '\uff35nknown': 5}, 'cannot be trained: .*Relabel or remove'),
    ],
)
def test_classes_that_cannot_be_trained_are_rejected(
    counts: dict[str, int], words: str, extractor_model: bytes
) -> None:
    labels = np.repeat(np.arange(len(counts)), list(counts.values()))
    embeddings = np.zeros((len(labels), 16 if counts else 0), np.uint8)
    with pytest.raises(RequestError, match=words):
        retrain(TrainingSet(embeddings, labels, tuple(counts), None), extractor_model, OPTIONS)


@pytest.mark.parametrize(
    'change',
    [
        {'embeddings': np.zeros((45, 15), np.uint8)},
        {'embeddings': np.zeros((45, 16), np.int8)},
        {'quantization': QuantizationParameters(0.5, 7)},
    ],
)
def test_samples_of_another_extractor_are_rejected(
    change: dict[str, Any], samples: TrainingSet, extractor_model: bytes
) -> None:
    words = 'do not fit the extractor: they are 1[56] numbers of .* its embeddings are 16 numbers'
    with pytest.raises(RequestError, match=words):
        retrain(dataclasses.replace(samples, **change), extractor_model, OPTIONS)


def test_options_out_of_range_are_rejected(samples: TrainingSet, extractor_model: bytes) -> None:
    with pytest.raises(RequestError, match='num_iter is 0'):
        retrain(samples, extractor_model, TrainingOptions(num_iter=0))


def test_a_diverging_training_keeps_its_last_finite_weights_and_warns(
    samples: TrainingSet, extractor_model: bytes
) -> None:
    options = dataclasses.replace(OPTIONS, learning_rate=MAX_LEARNING_RATE, reg=MAX_REG)
    outcome = retrain(samples, extractor_model, options)
    assert 'Training diverged' in outcome.message
    assert np.isfinite(outcome.head.weights).all()


def test_a_file_that_is_no_model_is_rejected(samples: TrainingSet) -> None:
    with pytest.raises(ModelFileError):
        retrain(samples, b'not a model', OPTIONS)


@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'float32'])
def test_the_model_file_alone_detects_unknown_pictures(dtype: str, tmp_path: Path) -> None:
    extractor_model = build_extractor(dtype, dimension=16)
    outcome = retrain(teach(extractor_model, tmp_path), extractor_model, TrainingOptions())
    classifier = Classifier(outcome.model, device='cpu')
    detection = UnknownDetection(outcome.model)
    assert detection.threshold == pytest.approx(outcome.head.unknown_threshold)
    known = [
        detection.unknown_score(classifier.classify(picture_of(name, take)).embedding)
        for name in NAMES
        for take in range(100, 120)
    ]
    rng = np.random.default_rng(5)
    strange = [
        detection.unknown_score(
            classifier.classify(rng.integers(0, 256, (8, 8, 3), np.uint8)).embedding
        )
        for _ in range(20)
    ]
    assert np.mean(np.array(known) <= detection.threshold) > 0.7
    assert np.median(strange) > np.median(known)
    assert np.mean(np.array(strange) > detection.threshold) > 0.5


def test_the_score_of_the_file_is_that_of_the_head(
    samples: TrainingSet, extractor_model: bytes
) -> None:
    outcome = retrain(samples, extractor_model, TrainingOptions())
    extractor = Extractor(extractor_model, device='cpu')
    raw = extractor.embed(picture_of('mug', 100))
    by_head = float(outcome.head.unknown_scores(dequantize(raw[None], samples.quantization))[0])
    # The file's weights are steps of an eight-bit range.
    assert UnknownDetection(outcome.model).unknown_score(raw) == pytest.approx(by_head, abs=0.05)


@pytest.mark.parametrize(
    ('count', 'lost', 'refused'),
    [(40, 2, False), (40, 3, True), (1000, 10, False), (1000, 11, True), (300, -5, False)],
)
def test_a_quantized_head_that_lost_too_much_is_rejected(
    count: int, lost: int, refused: bool
) -> None:
    truth = np.zeros(count, np.int64)
    by_float, by_quantized = truth.copy(), truth.copy()
    by_float[:6] = by_quantized[:6] = 1
    by_quantized[:] = np.where(np.arange(len(truth)) < 6 + lost, 1, 0)
    if not refused:
        check_quantized(truth, by_float, by_quantized)
        return
    with pytest.raises(QuantizationLoss, match=f'of {count} held-out samples .* only') as caught:
        check_quantized(truth, by_float, by_quantized)
    assert f'{count - 6} right, but only {count - 6 - lost}' in str(caught.value)
