# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Classifiers as extractors, and what is chosen for models, on the command line."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.command_line_types import Run, TEACH_ALL
from support.samples import add_sample
from support.small_classifiers import build_classifier
from support.small_models import build_extractor, build_extractor_tree, pack


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    """Return a float classifier whose file does not state its input range."""
    path = tmp_path / 'classifier.tflite'
    path.write_bytes(
        build_classifier('float32', classes=5, dimension=32, image_size=16, normalization=None)
    )
    return path


def test_a_classifier_is_taught_trained_and_used(
    run: Run, classifier: Path, lessons: Path, tmp_path: Path
) -> None:
    data = ('--data-dir', tmp_path / 'data')
    named = ('--extractor', classifier, '--input-range', '0..1', *data)
    taught = run(*TEACH_ALL, lessons, *named)
    assert taught.code == 0, taught.err
    assert taught.err.count('the model is a classifier') == 1
    trained = run('train', *named)
    assert trained.code == 0, trained.err
    assert '\\n' not in trained.out
    (version,) = ModelStore(tmp_path / 'data' / 'models').versions()
    record = ModelStore(tmp_path / 'data' / 'models').load(version).record
    assert record.input_range == '0..1'
    assert 'input range:        0..1' in run('models', 'show', *data).out
    # The retrained file describes itself.
    classified = run('classify', lessons, *data, '--json')
    assert classified.code == 0, classified.err
    alone = run(
        'classify',
        lessons,
        '--model',
        tmp_path / 'data' / 'models' / 'model_000001.tflite',
        '--json',
    )
    assert alone.code == 0, alone.err


def test_the_cut_model_stands_for_the_classifier(
    run: Run, classifier: Path, lessons: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'out.tflite'
    made = run('extractor', classifier, out, '--input-range', '0..1', '--json')
    assert made.code == 0, made.err
    assert 'the model is a classifier' in made.err
    assert made.result['dimension'] == 32
    assert made.result['input_range'] == '0..1'
    assert made.result['identity'] == describe(out.read_bytes()).identity
    data = ('--data-dir', tmp_path / 'data')
    assert run(*TEACH_ALL, lessons, '--extractor', out, *data).code == 0
    listed = run(
        'samples', 'list', '--extractor', classifier, '--input-range', '0..1', *data, '--json'
    )
    assert listed.result['counts'] == {'cat': 12, 'coffee': 12, 'coins': 12}
    # Samples of another range are those of another extractor.
    other = run('samples', 'list', '--extractor', classifier, '--input-range', '-1..1', *data)
    assert (other.code, 'made by another one' in other.problem) == (2, True)


def test_a_silent_float_model_is_refused_before_the_first_picture(
    run: Run, classifier: Path, lessons: Path, tmp_path: Path
) -> None:
    data = ('--data-dir', tmp_path / 'data')
    labels = tmp_path / 'labels.txt'
    labels.write_text('a\nb\nc\nd\ne\n')
    for command in (
        (*TEACH_ALL, lessons, '--extractor', classifier, *data),
        ('classify', lessons, '--model', classifier, '--labels', labels),
        ('evaluate', lessons, '--model', classifier, '--labels', labels),
        ('extractor', classifier, tmp_path / 'out.tflite'),
    ):
        ended = run(*command)
        assert ended.code == 1
        assert 'input_range (--input-range)' in ended.problem
    classified = run(
        'classify', lessons, '--model', classifier, '--labels', labels, '--input-range', '0..1'
    )
    assert classified.code == 0, classified.err


def test_a_folder_of_an_earlier_release_keeps_its_range(
    run: Run, lessons: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'float.tflite'
    file.write_bytes(build_extractor('float32', dimension=32, normalization=None))
    folder = tmp_path / 'data'
    data = ('--data-dir', folder)
    named = ('--extractor', file, *data)
    # What earlier releases stored: the file's SHA-256 as the identity, and the range -1..1.
    with_range = run(*TEACH_ALL, lessons, *named, '--input-range', '-1..1')
    assert with_range.code == 0, with_range.err
    with SampleStore(folder / 'samples.db') as store:
        before = store.training_set(extractor=describe(file.read_bytes()).identity).embeddings
    taught = run(*TEACH_ALL, lessons, *named)
    assert taught.code == 0, taught.err
    assert taught.err.count('the input range stays -1..1') == 1
    with SampleStore(folder / 'samples.db') as store:
        after = store.training_set(extractor=describe(file.read_bytes()).identity).embeddings
    np.testing.assert_array_equal(np.unique(after, axis=0), np.unique(before, axis=0))
    assert len(after) == 2 * len(before)
    assert run('train', *named).code == 0


@pytest.mark.parametrize(
    ('model', 'choices'),
    [
        (build_extractor('float32', dimension=32, normalization=None), ('--input-range', '-1..1')),
        # Release 0.1 took the output of a last layer without a softmax as the embedding.
        (build_classifier('uint8', classes=32, image_size=16, result=''), ()),
    ],
)
def test_a_made_extractor_fits_the_samples_of_an_earlier_release(
    run: Run, tmp_path: Path, model: bytes, choices: tuple[str, ...]
) -> None:
    file, out = tmp_path / 'model.tflite', tmp_path / 'out.tflite'
    file.write_bytes(model)
    data = ('--data-dir', tmp_path)
    identity = hashlib.sha256(model).hexdigest()
    with SampleStore(tmp_path / 'samples.db') as store:
        add_sample(store, 'cat', np.zeros(32, np.float32), extractor=identity, quantization=None)
    listed = run('samples', 'list', '--extractor', file, *data, '--json')
    assert listed.result['counts'] == {'cat': 1}
    made = run('extractor', file, out, *data, '--json')
    assert made.code == 0, made.err
    assert made.result['identity'] == identity
    listed = run('samples', 'list', '--extractor', out, *data, '--json')
    assert listed.result['counts'] == {'cat': 1}
    # Elsewhere, there are no such samples.
    other = run(
        'extractor', file, tmp_path / 'other.tflite', *choices, '--data-dir', tmp_path / 'new'
    )
    assert other.code == 0, other.err


@pytest.mark.parametrize(
    ('option', 'value', 'problem'),
    [
        ('--input-range', 'bright', '0..255, 0..1, -1..1 or MEAN/STD'),
        ('--input-size', 'large', 'give 224 or 320x240'),
    ],
)
def test_an_invalid_choice_is_a_usage_error(
    run: Run, classifier: Path, lessons: Path, option: str, value: str, problem: str
) -> None:
    ended = run(*TEACH_ALL, lessons, '--extractor', classifier, option, value)
    assert ended.code == 2
    assert problem in ended.problem


def test_options_without_an_effect_are_reported_by_every_command(
    run: Run, lessons: Path, tmp_path: Path
) -> None:
    file, labels = tmp_path / 'uint8.tflite', tmp_path / 'labels.txt'
    file.write_bytes(build_classifier('uint8', classes=3, dimension=32, image_size=16))
    labels.write_text('cat\ncoffee\ncoins\n')
    data = ('--data-dir', tmp_path / 'data')
    for command in (
        ('teach', lessons, '--extractor', file, *data),
        ('train', '--extractor', file, *data),
        ('samples', 'list', '--extractor', file, *data),
        ('classify', lessons, '--model', file, '--labels', labels),
        ('evaluate', lessons, '--model', file, '--labels', labels),
        ('extractor', file, tmp_path / 'out.tflite'),
    ):
        ended = run(*command, '--input-range', '0..1', '--input-size', '20x30')
        assert ended.code == 0, ended.err
        assert ended.err.count('input_range is not used: the input is of type uint8') == 1
        assert ended.err.count('input_size is not used: the input has the size 16x16') == 1


def test_a_model_that_does_not_run_is_not_written(run: Run, tmp_path: Path) -> None:
    tree = build_extractor_tree('float32', image_size=3)
    pixels = tree.subgraphs[0].tensors[0]
    pixels.shape, pixels.shapeSignature = [1, 1, 1, 3], [-1, -1, -1, 3]
    file, out = tmp_path / 'free.tflite', tmp_path / 'out.tflite'
    file.write_bytes(pack(tree))
    ended = run('extractor', file, out, '--input-size', '9x9')
    assert (ended.code, out.exists()) == (1, False)
    assert 'for pictures of 9x9 pixels' in ended.problem


def test_a_version_takes_no_choices(run: Run, trained_once: Path, lessons: Path) -> None:
    ended = run('classify', lessons, '--data-dir', trained_once, '--input-range', '0..1')
    assert ended.code == 2
    assert 'states its own' in ended.problem


def test_a_target_that_cannot_be_written_is_named(
    run: Run, classifier: Path, tmp_path: Path
) -> None:
    ended = run('extractor', classifier, tmp_path / 'no' / 'out.tflite', '--input-range', '0..1')
    assert ended.code == 2
    assert 'cannot be written' in ended.problem


def test_no_file_is_overwritten(run: Run, classifier: Path) -> None:
    before = classifier.read_bytes()
    ended = run('extractor', classifier, classifier, '--input-range', '0..1')
    assert ended.code == 2
    assert 'exists already' in ended.problem
    assert classifier.read_bytes() == before
