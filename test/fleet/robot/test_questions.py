# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Teachers are asked about what their fleet has not settled, once for each state of its claims."""

from __future__ import annotations

from pathlib import Path
import shutil
import struct

import cv2
from edgetpu_retrain.fleet.evidence.pack import Payload
from edgetpu_retrain.fleet.ledger.sealing import Draft
from edgetpu_retrain.fleet.robot import questions
from edgetpu_retrain.fleet.roster.roster import Member
from edgetpu_retrain.store.questions.fleet_questions import FleetQuestions
import numpy as np
import pytest
from support.fleet_robots import embedding, EXTRACTOR, Fleet, Robot, sample_id

ROBOTS = (('ada', 'propose'), ('bob', 'teach'), ('eve', 'teach'))


def publish_all(fleet: Fleet) -> None:
    for robot in fleet.robots.values():
        robot.publish(*(each for each in fleet.robots.values() if each is not robot))


def test_a_proposal_is_asked_at_teachers_and_settled_by_one(fleet: Fleet) -> None:
    ada, bob = fleet.add('ada', 'propose'), fleet.add('bob', 'teach')
    eve, dan = fleet.add('eve', 'teach'), fleet.add('dan', 'read')
    ada.teach('cup', 1, 2)
    publish_all(fleet)
    assert [each.asked() for each in (ada, dan)] == [{}, {}]
    assert eve.asked() == bob.asked() == {'ada': ('cup',)}
    listed = bob.questions.list_questions(0, extractor=EXTRACTOR)
    assert [(each.kind, each.has_image) for each in listed] == [('proposal', False)] * 2

    bob.questions.answer([listed[0].question_id], 'mug')
    bob.questions.dismiss([listed[1].question_id])
    assert bob.asked() == {}
    publish_all(fleet)
    # What bob has dismissed is still asked at eve, and not again at bob.
    assert bob.asked() == {}
    assert eve.questioner.update().questions == 1
    # The answer is a claim about the sample of ada, which ada trains with.
    evidence = ada.ledger.evidence(own=False)
    assert (evidence.labels, evidence.keys) == (['mug'], [bob.key.public])
    assert evidence.ids.tobytes() == sample_id(2)
    assert evidence.recordings == [f'{ada.key.public}/first']


def test_a_disagreement_is_asked_until_most_teachers_agree(fleet: Fleet) -> None:
    robots = [fleet.add(name, 'teach') for name in ('ada', 'bob', 'eve')]
    ada, bob, eve = robots
    ada.teach('cup', 1)
    bob.teach('mug', 1)
    publish_all(fleet)
    for each in robots:
        assert each.asked() == {'ada / bob': ('cup', 'mug')}
        (question,) = each.questions.list_questions(0, extractor=EXTRACTOR)
        assert question.kind == 'disagreement'
        assert [given.score for given in question.given] == [0.5, 0.5]
    eve.answer('jug', 'ada / bob')
    publish_all(fleet)
    # Each claims something else now.
    assert ada.asked() == bob.asked() == {'ada / eve / bob': ('cup', 'jug', 'mug')}
    bob.answer('cup', 'ada / eve / bob')
    publish_all(fleet)
    assert [each.asked() for each in robots] == [{}, {}, {}]
    assert {each.ledger.evidence(own=False).labels[0] for each in robots} == {'cup'}
    # Samples that the robots have recorded themselves stay so, whatever the answers.
    claims = [each.ledger.own_claims()[sample_id(1)] for each in robots]
    assert [each.recording for each in claims] == ['first', 'first', '']


def test_an_answer_that_is_undone_is_asked_again(fleet: Fleet) -> None:
    ada, bob = fleet.add('ada', 'propose'), fleet.add('bob', 'teach')
    ada.teach('cup', 1)
    publish_all(fleet)
    assert bob.asked()
    bob.answer('cup', 'ada')
    publish_all(fleet)
    assert bob.asked() == {}
    bob.samples.undo()
    publish_all(fleet)
    assert bob.asked() == {'ada': ('cup',)}
    assert len(ada.ledger.evidence(own=True).labels) == 1
    assert len(ada.ledger.evidence(own=False).labels) == 0


def test_a_question_that_was_withdrawn_is_asked_again_and_a_dismissed_one_is_not(
    fleet: Fleet,
) -> None:
    ada, bob, eve = (fleet.add(*each) for each in ROBOTS)
    ada.teach('cup', 1, 2)
    publish_all(fleet)
    first, second = open_ids(bob, update=True)
    bob.questions.dismiss([first])
    eve.questioner.update()
    eve.questions.answer(open_ids(eve), 'cup')
    publish_all(fleet)
    assert open_ids(bob, update=True) == []
    eve.samples.undo()
    publish_all(fleet)
    (again,) = open_ids(bob, update=True)
    assert again not in (first, second)
    assert open_ids(bob, update=True) == [again]


def test_a_robot_that_may_teach_again_is_asked_again(fleet: Fleet) -> None:
    ada, bob = fleet.add('ada', 'propose'), fleet.add('bob', 'teach')
    ada.teach('cup', 1)
    publish_all(fleet)
    assert bob.asked()
    for role, asked in (('read', {}), ('teach', {'ada': ('cup',)})):
        fleet.members[1] = Member(bob.key.public, 'bob', frozenset({'read', role}))
        fleet.add(f'new when bob may {role}', 'read')
        assert bob.asked() == asked


def test_a_crash_while_questions_are_withdrawn_loses_none(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob, eve = (fleet.add(*each) for each in ROBOTS)
    ada.teach('cup', 1)
    publish_all(fleet)
    assert bob.asked()
    assert eve.asked()
    eve.answer('cup', 'ada')
    publish_all(fleet)
    change = FleetQuestions.change
    with monkeypatch.context() as crash:
        crash.setattr(FleetQuestions, 'change', lambda *given: 1 / len(change(*given)))
        with pytest.raises(ZeroDivisionError):
            bob.questioner.update()
    assert open_ids(bob) == []
    eve.samples.undo()
    publish_all(fleet)
    assert bob.asked() == {'ada': ('cup',)}


def test_another_claim_is_another_question(fleet: Fleet) -> None:
    ada, bob = fleet.add('ada', 'propose'), fleet.add('bob', 'teach')
    (number,) = ada.teach('cup', 1)
    publish_all(fleet)
    assert bob.asked() == {'ada': ('cup',)}
    bob.answer('', 'ada')
    publish_all(fleet)
    assert bob.asked() == {}
    ada.samples.relabel([number], 'mug')
    publish_all(fleet)
    assert bob.asked() == {'ada': ('mug',)}
    ada.samples.erase_samples([number])
    publish_all(fleet)
    assert bob.asked() == {}


def test_a_teacher_is_asked_only_about_labels_that_it_may_claim(fleet: Fleet) -> None:
    ada, bob = fleet.add('ada', 'propose'), fleet.add('bob', 'teach', ('cup*',))
    ada.teach('cup', 1)
    ada.teach('mug', 2)
    publish_all(fleet)
    assert bob.asked() == {'ada': ('cup',)}
    assert len(open_ids(bob)) == 1


def test_pictures_are_shown_unless_they_are_hostile(fleet: Fleet) -> None:
    ada, bob = fleet.add('ada', 'propose'), fleet.add('bob', 'teach')
    good = cv2.imencode('.jpg', np.zeros((240, 320, 3), np.uint8))[1].tobytes()
    huge = good.replace(struct.pack('>HH', 240, 320), struct.pack('>HH', 65_000, 65_000))
    for number, jpeg in enumerate((good, huge)):
        payload = Payload(embedding(number).tobytes(), jpeg)
        ada.ledger.claim([Draft(sample_id(number), 'cup', 'first', payload)])
    ada.ledger.seal(ada.key)
    for pack in ada.ledger.hub('').missing():
        bob.ledger.receive(ada.ledger.message(pack.hash))
    assert bob.questioner.update().questions == 2
    pictures = [bob.questions.picture(each) for each in open_ids(bob)]
    assert sorted(pictures, key=bool) == [None, good]


def test_questions_are_limited_and_move_up(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, 'MAX_FLEET_QUESTIONS', 3)
    ada, bob = fleet.add('ada', 'propose'), fleet.add('bob', 'teach')
    ada.teach('cup', *range(5))
    publish_all(fleet)
    assert bob.questioner.update().questions == 3
    first, *_ = bob.questions.list_questions(0, extractor=EXTRACTOR)
    bob.questions.dismiss([first.question_id])
    assert bob.questioner.update().questions == 3
    bob.questions.answer(open_ids(bob), 'cup')
    assert bob.questioner.update().questions == 1


def open_ids(robot: Robot, *, update: bool = False) -> list[int]:
    if update:
        robot.questioner.update()
    return [each.question_id for each in robot.questions.list_questions(0, extractor=EXTRACTOR)]


def test_questions_survive_a_restart_and_a_crash(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = fleet.add('ada', 'propose'), fleet.add('bob', 'teach')
    ada.teach('cup', 1, 2)
    publish_all(fleet)
    with monkeypatch.context() as crash:
        crash.setattr(bob.tables, 'remember_asked', lambda _asked: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bob.questioner.update()
    before = open_ids(bob)
    bob.close()
    bob.start()
    assert bob.questioner.update().questions == 2
    assert len(open_ids(bob)) == 2
    assert set(open_ids(bob)).isdisjoint(before)
    asked = open_ids(bob)
    bob.close()
    bob.start()
    assert bob.questioner.update().questions == 2
    assert open_ids(bob) == asked


@pytest.mark.parametrize('is_backup', [False, True])
def test_what_a_replaced_database_does_not_have_is_asked_again(
    fleet: Fleet, tmp_path: Path, is_backup: bool
) -> None:
    ada, bob = fleet.add('ada', 'propose'), fleet.add('bob', 'teach')
    ada.teach('cup', 1)
    publish_all(fleet)
    assert len(open_ids(bob, update=True)) == 1
    bob.answer('', 'ada')
    bob.samples.checkpoint()
    shutil.copy(bob.folder / 'samples.db', tmp_path / 'backup.db')
    ada.teach('mug', 2)
    publish_all(fleet)
    assert bob.asked() == {'ada': ('mug',)}
    bob.close()
    for each in bob.folder.glob('samples.db*'):
        each.unlink()
    if is_backup:
        shutil.copy(tmp_path / 'backup.db', bob.folder / 'samples.db')
    bob.start()
    # A new file does not know what was dismissed either.
    again = open_ids(bob, update=True)
    assert len(again) == (1 if is_backup else 2)
    assert open_ids(bob, update=True) == again


def test_a_robot_that_may_no_longer_teach_is_not_asked(fleet: Fleet) -> None:
    ada, bob = fleet.add('ada', 'propose'), fleet.add('bob', 'teach')
    ada.teach('cup', 1)
    publish_all(fleet)
    assert bob.asked()
    fleet.members[-1] = Member(bob.key.public, 'bob', frozenset({'read'}))
    fleet.add('eve', 'teach')
    assert bob.asked() == {}


def test_a_dismissal_holds_while_its_claims_are_the_same(fleet: Fleet) -> None:
    ada, bob = fleet.add('ada', 'propose'), fleet.add('bob', 'teach')
    (number,) = ada.teach('cup', 1)
    publish_all(fleet)
    assert bob.asked() == {'ada': ('cup',)}
    bob.answer('', 'ada')
    for label, asked in (('mug', {'ada': ('mug',)}), ('cup', {}), ('mug', {'ada': ('mug',)})):
        ada.samples.relabel([number], label)
        publish_all(fleet)
        assert bob.asked() == asked
    bob.answer('', 'ada')
    for label in ('cup', 'mug'):
        ada.samples.relabel([number], label)
        publish_all(fleet)
        assert bob.asked() == {}


@pytest.mark.parametrize('is_published', [True, False])
def test_an_answer_that_is_removed_is_asked_again(fleet: Fleet, is_published: bool) -> None:
    ada, bob, eve = (fleet.add(name, 'teach') for name in ('ada', 'bob', 'eve'))
    ada.teach('cup', 1)
    eve.teach('mug', 1)
    publish_all(fleet)
    assert bob.asked() == {'ada / eve': ('cup', 'mug')}
    bob.answer('cup', 'ada / eve')
    if is_published:
        publish_all(fleet)
    assert bob.asked() == {}
    (answer,) = bob.samples.list_samples(extractor=EXTRACTOR)
    bob.samples.remove_samples([answer.sample_id])
    publish_all(fleet)
    assert bob.asked() == {'ada / eve': ('cup', 'mug')}
    again = open_ids(bob)
    assert open_ids(bob, update=True) == again
    bob.questions.dismiss(again)
    assert bob.asked() == {}


def test_an_answer_that_was_published_stays_an_answer(fleet: Fleet) -> None:
    ada, bob = fleet.add('ada', 'propose'), fleet.add('bob', 'teach')
    ada.teach('cup', 1)
    publish_all(fleet)
    assert bob.asked()
    bob.answer('cup', 'ada')
    publish_all(fleet)
    assert bob.asked() == {}
    (answer,) = bob.samples.list_samples(extractor=EXTRACTOR)
    bob.samples.relabel([answer.sample_id], 'mug')
    publish_all(fleet)
    assert bob.asked() == {}
    # It is not a recording of bob.
    assert bob.ledger.own_claims()[sample_id(1)].recording == ''
