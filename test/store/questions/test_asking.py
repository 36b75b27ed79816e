# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Which frames become questions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.questions import asking, nearest_sample
from edgetpu_retrain.store.questions.question import Given, Question
from edgetpu_retrain.store.questions.question_store import QuestionStore
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.samples import add_sample

EXTRACTOR = 'a' * 64
OTHER = 'b' * 64
LATER = 2**62
Ask = Callable[..., int]


def direction(degrees: float) -> list[int]:
    """Return an embedding of the plane of its first two numbers, as far as uint8 allows."""
    angle = np.radians(degrees)
    return [3 + round(200 * np.cos(angle)), 3 + round(200 * np.sin(angle)), 3, 3, 3, 3, 3, 3]


def teach(samples: SampleStore, label: str, degrees: float) -> int:
    return add_sample(
        samples,
        label,
        np.asarray(direction(degrees), np.uint8),
        extractor=EXTRACTOR,
        quantization=QuantizationParameters(0.5, 3),
    )


def ids(questions: QuestionStore) -> set[int]:
    return {each.question_id for each in questions.list_questions(0, extractor=EXTRACTOR)}


def test_ten_near_copies_are_one_question(questions: QuestionStore, ask: Ask) -> None:
    assert ask(direction(45))
    assert not any(ask(direction(45 + degrees / 2)) for degrees in range(10))
    assert ask(direction(60))
    assert len(ids(questions)) == 2


def test_a_near_copy_of_a_dismissed_question_is_not_asked_again(
    samples: SampleStore, questions: QuestionStore, ask: Ask
) -> None:
    first = ask(direction(45))
    questions.dismiss([first])
    assert not ask(direction(45))
    assert ask(direction(60))
    assert not ask(direction(46))
    samples.undo()
    assert questions.answer([first], 'cup') == 1
    assert not ask(direction(45))
    questions.dismiss([ask(direction(80))])
    assert samples.erase(extractor=EXTRACTOR).questions == 1
    assert ask(direction(80))


def test_an_embedding_that_is_not_finite_is_no_question(samples: SampleStore) -> None:
    about = EmbeddingKind(2, 'float32', None)
    own = asking.Asking(samples, OTHER, about, 0.01)
    given = (Given('unknown', 0.9),)
    for value in (np.nan, np.inf):
        embedding = np.array([value, 1.0], np.float32)
        question = Question('unknown', 'front', 0, given, 1, embedding)
        assert own.weigh(question, labels=(), trained_ns=0) is None


def test_a_near_copy_of_a_sample_is_no_question(samples: SampleStore, ask: Ask) -> None:
    taught = teach(samples, 'cup', 45)
    assert not ask(direction(46))
    assert ask(direction(70))
    samples.remove_samples([taught])
    assert ask(direction(46))
    samples.undo()
    assert not ask(direction(44))


def test_a_near_copy_of_another_class_is_a_conflict(
    samples: SampleStore, questions: QuestionStore, ask: Ask
) -> None:
    teach(samples, 'cup', 45)
    known = {'labels': ('cup', 'mug'), 'trained_ns': LATER}
    assert not ask(direction(46), kind=None, given=(Given('cup', 0.9),), **known)
    assert not ask(direction(46), kind='unknown', given=(Given('unknown', 0.9),), **known)
    assert not ask(direction(80), kind=None, given=(Given('mug', 0.9),), **known)
    # The model has not seen the sample, or its class.
    assert not ask(
        direction(46), kind=None, given=(Given('mug', 0.9),), labels=('cup', 'mug'), trained_ns=1
    )
    assert not ask(
        direction(46), kind=None, given=(Given('mug', 0.9),), labels=('mug',), trained_ns=LATER
    )
    assert ask(direction(46), kind=None, given=(Given('mug', 0.9),), **known)
    assert not ask(direction(47), kind='margin', given=(Given('mug', 0.9),), **known)
    (question,) = questions.list_questions(0, extractor=EXTRACTOR)
    assert question.kind == 'conflict'


def test_a_full_store_keeps_what_is_farthest_from_the_rest(
    questions: QuestionStore, ask: Ask
) -> None:
    first, middle, last = (ask(direction(degrees), most=3) for degrees in (0, 20, 50))
    # Nearer to another than any of them.
    assert not ask(direction(60), most=3)
    assert ids(questions) == {first, middle, last}
    new = ask(direction(90), most=3)
    assert ids(questions) == {first, last, new}


def test_fewer_questions_are_kept_when_the_maximum_is_lowered(
    questions: QuestionStore, ask: Ask
) -> None:
    numbers = [ask(direction(degrees)) for degrees in (0, 10, 22, 36, 52, 70)]
    ask(direction(90), most=2)
    assert ids(questions) == {numbers[0], numbers[4]}


def test_questions_of_another_extractor_make_room_first(
    samples: SampleStore, questions: QuestionStore, ask: Ask
) -> None:
    old = [ask(direction(degrees), extractor=OTHER, most=2) for degrees in (0, 90)]
    new = [ask(direction(0), most=3)]
    new.append(ask(direction(30), most=3))
    left = questions.list_questions(0, extractor=OTHER)
    assert [each.question_id for each in left] == old[1:]
    assert ids(questions) == set(new)
    assert samples.counts(extractor=OTHER) == {}


def test_questions_are_limited_by_bytes(
    questions: QuestionStore, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = b'\xff\xd8\xff\xe0' + bytes(996)
    monkeypatch.setattr(asking, 'MAX_BYTES', 3 * (1000 + 4 * 8))
    numbers = [ask(direction(degrees), image=picture) for degrees in (0, 20, 50, 90)]
    assert ids(questions) == {numbers[0], *numbers[2:]}


def test_the_store_of_another_process_is_followed(samples: SampleStore, ask: Ask) -> None:
    first = ask(direction(45))
    assert not ask(direction(45))
    with SampleStore(samples.path) as other:
        QuestionStore(other).answer([first], 'cup')
    assert not ask(direction(45))
    assert ask(direction(80))
    assert not ask(direction(80))
    with SampleStore(samples.path) as other:
        other.undo()
    assert not ask(direction(45))
    with SampleStore(samples.path) as other:
        QuestionStore(other).dismiss([first])
    assert not ask(direction(45))
    with SampleStore(samples.path) as other:
        other.erase(extractor=EXTRACTOR)
    assert ask(direction(45))


def test_only_the_newest_samples_are_compared(
    samples: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest_sample, 'MAX_SAMPLES', 2)
    for degrees in (0, 30, 60):
        teach(samples, 'cup', degrees)
    kind = EmbeddingKind(8, 'uint8', QuantizationParameters(0.5, 3))
    vectors = nearest_sample.NearestSample(samples, EXTRACTOR, kind)
    unit = np.zeros(8, np.float32)
    unit[0] = 1.0
    assert vectors.of(unit).distance == pytest.approx(1 - np.cos(np.radians(30)), abs=0.01)


def test_a_failed_write_leaves_everything_as_it_was(
    samples: SampleStore, questions: QuestionStore, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(direction(0))
    with monkeypatch.context() as patched:
        patched.setattr(asking, 'given_to_json', lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ask(direction(90))
    assert ids(questions) == {first}
    assert ask(direction(90))
    assert samples.counts(extractor=EXTRACTOR) == {}


ASKING = """
import sys
from pathlib import Path
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.questions.asking import Asking
from edgetpu_retrain.store.questions.question import Given, Question
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np

kind = EmbeddingKind(8, 'uint8', QuantizationParameters(0.5, 3))
with SampleStore(Path(sys.argv[1])) as samples:
    asking = Asking(samples, 'a' * 64, kind, 0.0)
    for seed in range(1000):
        embedding = np.random.default_rng(seed).integers(0, 256, 8, np.uint8)
        given = (Given('unknown', 0.5),)
        stored = asking.store(Question('unknown', 'front', 1, given, 1, embedding), 1000)
        print(stored, flush=True)
"""


def test_questions_survive_a_kill(
    path: Path, run_and_kill: Callable[[str, Path, int], list[int]]
) -> None:
    acknowledged = run_and_kill(ASKING, path, 20)
    with SampleStore(path) as samples:
        assert set(acknowledged) <= ids(QuestionStore(samples))
