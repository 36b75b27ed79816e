# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples of the fleet are asked about beside frames, answered, dismissed and withdrawn."""

from __future__ import annotations

from collections.abc import Callable

from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.questions.fleet_questions import claimants_text, FleetQuestions
from edgetpu_retrain.store.questions.question import Given, Question, QuestionKind
from edgetpu_retrain.store.questions.question_store import QuestionStore
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample import MAX_CAMERA_LENGTH
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest

EXTRACTOR = 'a' * 64
KIND = EmbeddingKind(8, 'uint8', QuantizationParameters(0.5, 3))
JPEG = b'\xff\xd8\xff\xe0 picture'
Ask = Callable[..., int]


@pytest.fixture
def fleet(samples: SampleStore) -> FleetQuestions:
    return FleetQuestions(samples, EXTRACTOR, KIND)


def proposal(
    first: int = 0, kind: QuestionKind = 'proposal', image: bytes | None = None
) -> Question:
    embedding = np.arange(first, first + 8, dtype=np.uint8)
    given = Given('mug', 0.5), Given('cup', 0.5)
    return Question(kind, 'robot1 / robot2', 0, given, 0, embedding, image)


def test_an_answer_is_a_sample_with_the_same_embedding(
    samples: SampleStore, questions: QuestionStore, fleet: FleetQuestions
) -> None:
    (with_picture, without) = fleet.change([], [proposal(image=JPEG), proposal(9, 'disagreement')])
    newest, oldest = questions.list_questions(0, extractor=EXTRACTOR)
    assert (newest.kind, newest.has_image) == ('disagreement', False)
    assert (oldest.kind, oldest.has_image) == ('proposal', True)
    assert oldest.given == (('mug', 0.5), ('cup', 0.5))
    assert (oldest.camera, oldest.model_version) == ('robot1 / robot2', 0)
    assert fleet.open_ids() == {with_picture, without}

    assert questions.answer([without], 'mug') == 1
    stored = samples.training_set(extractor=EXTRACTOR)
    assert stored.names == ('mug',)
    np.testing.assert_array_equal(stored.embeddings, [np.arange(9, 17)])
    questions.dismiss([with_picture])
    assert fleet.open_ids() == set()
    assert fleet.answers() == {without: True}
    samples.undo()
    assert fleet.open_ids() == {with_picture}
    samples.remove('mug', 1, extractor=EXTRACTOR)
    assert fleet.answers() == {without: False}
    samples.undo()
    assert fleet.answers() == {without: True}
    samples.undo()
    assert fleet.answers() == {}


def test_only_open_questions_of_the_fleet_are_withdrawn(
    samples: SampleStore, questions: QuestionStore, fleet: FleetQuestions, ask: Ask
) -> None:
    frame = ask()
    first, second, third = fleet.change([], [proposal(0), proposal(9), proposal(18)])
    questions.dismiss([third])
    (fourth,) = fleet.change([frame, first, third, 10**6], [proposal(27)])
    assert fleet.open_ids() == {second, fourth}
    listed = questions.list_questions(0, extractor=EXTRACTOR)
    assert {each.question_id for each in listed} == {frame, second, fourth}
    samples.undo()
    assert fleet.open_ids() == {second, third, fourth}


def test_frames_do_not_push_out_samples_of_the_fleet(
    questions: QuestionStore, fleet: FleetQuestions, ask: Ask
) -> None:
    ids = set(fleet.change([], [proposal(9 * index) for index in range(5)]))
    frames = [ask(most=2) for _ in range(10)]
    assert ids <= {each.question_id for each in questions.list_questions(0, extractor=EXTRACTOR)}
    assert questions.count(extractor=EXTRACTOR) == len(ids) + 2
    # And the other way round: they leave room for two frames.
    assert len([each for each in frames[:2] if each]) == 2


def test_claimants_are_named_label_by_label_as_far_as_there_is_room() -> None:
    claimants = {'mug': ['robot4', 'robot1'], 'cup': ['robot2'], 'jug': ['a'], 'tea': ['b']}
    assert claimants_text(claimants) == 'robot1, robot4 / robot2 / a'
    many = [f'a robot with a long name {index:03}' for index in range(100)]
    text = claimants_text({'mug': many, 'cup': many, 'jug': ['a\nb']})
    assert len(text) <= MAX_CAMERA_LENGTH
    assert [part[-3:] for part in text.split(' / ')][:2] == ['...', '...']
    assert '\n' not in text
