# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Classifications compared with the true labels."""

from __future__ import annotations

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.evaluation import evaluate, Evaluation
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture
from edgetpu_retrain.runtime.models.recognizer import Recognizer
import numpy as np
import pytest
from support.small_models import build_extractor


def test_classifications_are_compared_with_the_truth() -> None:
    evaluation = Evaluation(('cat', 'dog'), ('cat', 'owl'))
    assert evaluation.accuracy is None
    assert evaluation.names == ('cat', 'dog', 'owl', 'unknown')
    for truth, answer in (
        ('cat', 'cat'),
        ('cat', 'dog'),
        ('cat', 'unknown'),
        # A class that the model was not trained on counts as unknown.
        ('owl', 'unknown'),
        ('owl', 'cat'),
    ):
        evaluation.add(f'{truth} as {answer}', truth, answer, 0.5)
    assert evaluation.confusion_matrix.tolist() == [
        [1, 1, 0, 1],
        [0, 0, 0, 0],
        [1, 0, 0, 1],
        [0, 0, 0, 0],
    ]
    assert evaluation.accuracy == pytest.approx(2 / 5)
    assert evaluation.right_of('cat') == (1, 3)
    assert evaluation.right_of('owl') == (1, 2)
    assert [mistake.picture for mistake in evaluation.mistakes] == [
        'cat as dog',
        'cat as unknown',
        'owl as cat',
    ]


def test_a_class_named_unknown_is_a_class_if_the_model_has_it() -> None:
    evaluation = Evaluation(('cat', 'unknown'), ('unknown',))
    evaluation.add('1', 'unknown', 'cat', 0.9)
    assert evaluation.names == ('cat', 'unknown')
    assert evaluation.right_of('unknown') == (0, 1)


def test_the_background_counts_as_unknown() -> None:
    evaluation = Evaluation(('cat', 'background'), ('cat', 'background'))
    assert evaluation.names == ('cat', 'background', 'unknown')
    evaluation.add('1', 'background', 'unknown', 0.9)
    evaluation.add('2', 'background', 'cat', 0.9)
    evaluation.add('3', 'cat', 'unknown', 0.9)
    assert evaluation.right_of('background') == (1, 2)
    assert [each.picture for each in evaluation.mistakes] == ['2', '3']
    plain = Evaluation(('cat', 'background'), ('background',), background_label='')
    plain.add('1', 'background', 'background', 0.9)
    assert plain.right_of('background') == (1, 1)


def test_every_readable_picture_is_classified() -> None:
    def refuse() -> LazyPicture:
        raise ImageError('it is damaged')

    recognizer = Recognizer(build_extractor('uint8', dimension=2), labels=('a', 'b'))
    rgb = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    expected = recognizer.recognize(rgb).label
    pictures = [
        RecordedPicture('1', lambda: LazyPicture(lambda: rgb), expected),
        RecordedPicture('2', refuse, 'a'),
        RecordedPicture('3', lambda: LazyPicture(lambda: rgb), 'ab'.replace(expected, '')),
    ]
    evaluation = Evaluation(recognizer.labels, ('a', 'b'))
    steps: list[int] = []
    evaluate(pictures, recognizer, evaluation, lambda: steps.append(1))
    assert len(steps) == 3
    assert evaluation.unreadable == [('2', 'it is damaged')]
    assert [mistake.picture for mistake in evaluation.mistakes] == ['3']
    assert evaluation.right == 1
