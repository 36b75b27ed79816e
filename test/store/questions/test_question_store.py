# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Questions are labelled, dismissed and opened again; none is lost, none is a sample before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.store.questions.question import Given
from edgetpu_retrain.store.questions.question_store import QuestionStore
from edgetpu_retrain.store.samples import journal
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest

EXTRACTOR = 'a' * 64
OTHER = 'b' * 64
FACE = b'picture of a face '
JPEG = b'\xff\xd8\xff\xe0' + FACE * 1000
SECOND = 1_000_000_000
Ask = Callable[..., int]
Teach = Callable[..., list[int]]


def is_on_disk(path: Path, content: bytes) -> bool:
    return any(content in each.read_bytes() for each in path.parent.iterdir())


def test_a_question_survives_a_restart_and_is_no_sample(
    path: Path, samples: SampleStore, ask: Ask
) -> None:
    given = Given('cup', 0.4), Given('mug', 0.35), Given('jug', 0.2), Given('tea', 0.05)
    first = ask(stamp_ns=7, camera='arm', image=JPEG, given=given)
    second = ask(kind='margin', given=(Given('cup', 0.5),))
    samples.close()
    with SampleStore(path) as again:
        questions = QuestionStore(again)
        newest, oldest = questions.list_questions(0, extractor=EXTRACTOR)
        assert (newest.question_id, oldest.question_id) == (second, first)
        assert (newest.kind, newest.has_image, newest.given) == ('margin', False, (('cup', 0.5),))
        assert (oldest.kind, oldest.camera, oldest.stamp_ns) == ('unknown', 'arm', 7)
        assert oldest.has_image
        assert oldest.given == given[:3]
        assert oldest.model_version == 3
        assert questions.list_questions(1, extractor=EXTRACTOR) == (newest,)
        assert questions.count(extractor=EXTRACTOR) == 2
        assert questions.picture(first) == JPEG
        assert questions.picture(second) is None
        assert questions.picture(2**70) is None
        assert again.counts(extractor=EXTRACTOR) == {}
        assert again.list_samples(extractor=EXTRACTOR) == ()
        assert not len(again.training_set(extractor=EXTRACTOR).embeddings)
        assert again.unembedded(extractor=EXTRACTOR).samples == 0


def test_a_labelled_question_is_a_sample(
    samples: SampleStore, questions: QuestionStore, ask: Ask
) -> None:
    embedding = np.arange(8, dtype=np.uint8)
    number = ask(embedding, stamp_ns=5, image=JPEG)
    ask()
    assert questions.answer([number, number], 'cup') == 1
    (sample,) = samples.list_samples(extractor=EXTRACTOR)
    assert (sample.label, sample.camera, sample.stamp_ns) == ('cup', 'front', 5)
    picture = samples.picture(sample.sample_id)
    assert picture is not None
    assert picture.jpeg == JPEG
    np.testing.assert_array_equal(
        samples.training_set(extractor=EXTRACTOR).embeddings, embedding[np.newaxis]
    )
    assert questions.count(extractor=EXTRACTOR) == 1
    assert questions.picture(number) is None


def test_answers_and_dismissals_are_undone_and_redone_in_order(
    samples: SampleStore, questions: QuestionStore, ask: Ask, teach: Teach
) -> None:
    numbers = [ask(image=JPEG) for _ in range(5)]
    questions.answer(numbers[:2], 'cup')
    teach(samples, 'mug')
    questions.dismiss(numbers[2:4])
    assert questions.count(extractor=EXTRACTOR) == 1
    assert [str(each) for each in samples.history()] == [
        "the labelling of 2 questions as 'cup'",
        "the addition of 1 sample of 'mug'",
        'the dismissal of 2 questions',
    ]
    for left, counts in (
        (3, {'cup': 2, 'mug': 1}),
        (3, {'cup': 2}),
        (5, {}),
    ):
        assert samples.undo() is not None
        assert questions.count(extractor=EXTRACTOR) == left
        assert samples.counts(extractor=EXTRACTOR) == counts
    assert samples.undo() is None
    assert [questions.picture(each) for each in numbers] == [JPEG] * 5
    for _ in range(3):
        assert samples.redo() is not None
    assert samples.redo() is None
    assert questions.count(extractor=EXTRACTOR) == 1
    assert samples.counts(extractor=EXTRACTOR) == {'cup': 2, 'mug': 1}


def test_what_was_opened_again_stays_open_after_another_change(
    samples: SampleStore, questions: QuestionStore, ask: Ask, teach: Teach
) -> None:
    numbers = [ask(), ask()]
    questions.answer(numbers[:1], 'cup')
    questions.dismiss(numbers[1:])
    samples.undo()
    samples.undo()
    teach(samples, 'mug')
    assert samples.redo() is None
    assert questions.count(extractor=EXTRACTOR) == 2
    assert questions.answer(numbers, 'jug') == 2
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 1, 'jug': 2}


def test_closed_questions_are_deleted_with_their_change(
    path: Path,
    samples: SampleStore,
    questions: QuestionStore,
    ask: Ask,
    teach: Teach,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    questions.answer([ask(image=JPEG)], 'cup')
    questions.dismiss([ask(image=JPEG)])
    ask(image=JPEG)
    monkeypatch.setattr(journal, 'MAX_CHANGES', 1)
    teach(samples, 'mug')
    with closing(sqlite3.connect(path)) as reader:
        assert reader.execute('SELECT COUNT(*) FROM questions').fetchone() == (1,)
        assert reader.execute('SELECT COUNT(*) FROM images').fetchone() == (1,)
    assert questions.count(extractor=EXTRACTOR) == 1


@pytest.mark.parametrize(
    'do', [lambda q, ids: q.answer(ids, 'cup'), lambda q, ids: q.dismiss(ids)]
)
def test_a_question_that_is_not_open_is_refused(
    do: Callable[[QuestionStore, list[int]], int], questions: QuestionStore, ask: Ask
) -> None:
    open_one, labelled, dismissed = ask(), ask(), ask()
    questions.answer([labelled], 'mug')
    questions.dismiss([dismissed])
    for missing in (labelled, dismissed, 99, 0, -1, 2**64):
        with pytest.raises(RequestError, match=f'There is no question {missing}, so nothing'):
            do(questions, [open_one, missing])
    assert questions.count(extractor=EXTRACTOR) == 1
    assert do(questions, [open_one]) == 1
    assert do(questions, []) == 0


@pytest.mark.parametrize('label', ['', 'a/b', 'unknown'])
def test_an_invalid_label_is_refused(label: str, questions: QuestionStore, ask: Ask) -> None:
    number = ask()
    with pytest.raises(RequestError):
        questions.answer([number], label)
    assert questions.count(extractor=EXTRACTOR) == 1


def test_a_sample_gets_the_recording_of_its_camera_and_time(
    samples: SampleStore, questions: QuestionStore, ask: Ask
) -> None:
    times = {'while': 100, 'later': 3000, 'then': 3030, 'other': 100}
    numbers = {
        name: ask(stamp_ns=seconds * SECOND, camera='arm' if name == 'other' else 'front')
        for name, seconds in times.items()
    }
    with samples.changing('test') as changes:
        for seconds, name in ((90, 'morning'), (5000, 'evening')):
            changes.add(Sample('cup', {}, 'front', seconds * SECOND, recording=name), {}, 0)
    questions.answer(list(reversed(numbers.values())), 'mug')
    found = {
        each.stamp_ns // SECOND: each.recording
        for each in samples.list_samples('mug', extractor=EXTRACTOR)
        if each.camera == 'front'
    }
    assert found[100] == 'morning'
    assert found[3000] == found[3030]
    assert found[3000].startswith('front ')
    assert found[3000].endswith(f'#q{numbers["later"]}')
    (other,) = (
        each for each in samples.list_samples('mug', extractor=EXTRACTOR) if each.camera == 'arm'
    )
    assert other.recording not in found.values()


def test_erased_samples_leave_no_question_on_the_disk(
    path: Path, samples: SampleStore, questions: QuestionStore, ask: Ask
) -> None:
    questions.answer([ask(), ask(image=JPEG)], 'alice')
    newest = samples.list_samples(limit=1, extractor=EXTRACTOR)[0]
    assert is_on_disk(path, FACE)
    # What is left of the same change keeps its question.
    assert samples.erase_samples([newest.sample_id]).samples == 1
    assert not is_on_disk(path, FACE)
    assert [str(each) for each in samples.history()] == ["the labelling of 1 question as 'alice'"]
    assert samples.erase('alice', extractor=EXTRACTOR).samples == 1
    assert samples.history() == ()


def test_dismissed_questions_are_erased_with_what_was_removed(
    path: Path, samples: SampleStore, questions: QuestionStore, ask: Ask, teach: Teach
) -> None:
    kept = ask()
    questions.dismiss([ask(image=JPEG)])
    teach(samples, 'cup')
    erased = samples.erase(extractor=EXTRACTOR)
    assert (erased.samples, erased.questions) == (0, 1)
    assert not is_on_disk(path, FACE)
    assert [each.question_id for each in questions.list_questions(0, extractor=EXTRACTOR)] == [
        kept
    ]
    assert [str(each) for each in samples.history()] == ["the addition of 1 sample of 'cup'"]


def test_an_open_question_outlives_the_erasure_of_what_it_was(
    samples: SampleStore, questions: QuestionStore, ask: Ask
) -> None:
    number = ask(image=JPEG)
    questions.answer([number], 'alice')
    samples.undo()
    assert samples.erase(extractor=EXTRACTOR).samples == 1
    # Nothing is left to redo, so nothing can close the question without making it a sample.
    assert samples.redo() is None
    assert questions.picture(number) == JPEG


def test_questions_belong_to_their_extractor(questions: QuestionStore, ask: Ask) -> None:
    ask()
    other = ask(extractor=OTHER)
    assert questions.count(extractor=EXTRACTOR) == 1
    assert [each.question_id for each in questions.list_questions(0, extractor=OTHER)] == [other]


def test_a_damaged_picture_is_no_sample(path: Path, questions: QuestionStore, ask: Ask) -> None:
    number = ask(image=JPEG)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("UPDATE questions SET jpeg = x'00'")
        writer.commit()
    with pytest.raises(StoreError, match=r'question 1.*What to do'):
        questions.answer([number], 'cup')
    assert questions.count(extractor=EXTRACTOR) == 1


@pytest.mark.parametrize(
    'text', ['', '1', '{}', '[1]', '[["a"]]', '[["a", "b"]]', '[["a", 1]]' * 2, '[["a", NaN]]']
)
def test_a_damaged_classification_is_reported(
    text: str, path: Path, questions: QuestionStore, ask: Ask
) -> None:
    ask()
    with closing(sqlite3.connect(path)) as writer:
        writer.execute('UPDATE questions SET classification = ?', [text])
        writer.commit()
    with pytest.raises(StoreError, match=r'question 1.*What to do'):
        questions.list_questions(0, extractor=EXTRACTOR)
