# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a robot is taught becomes claims: added, relabelled, removed, erased, undone, replaced."""

from __future__ import annotations

from pathlib import Path
import shutil
import sqlite3

import cv2
from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.pack import MAX_PICTURE_BYTES
from edgetpu_retrain.fleet.robot import own_samples
from edgetpu_retrain.store.samples import journal
from edgetpu_retrain.store.samples.sample import Sample
import numpy as np
import pytest
from support.fleet_robots import embedding, EXTRACTOR, QUANTIZATION, Robot, sample_id


def test_new_relabelled_removed_and_erased_samples_are_claimed_once(robot: Robot) -> None:
    cup, mug, jug = robot.teach('cup', 1, 2, 3)
    assert robot.own.scan() == own_samples.Scan(3, 3)
    assert robot.own.scan() == own_samples.Scan(0, 3)
    assert robot.claims() == {sample_id(1): 'cup', sample_id(2): 'cup', sample_id(3): 'cup'}

    robot.samples.relabel([mug], 'mug')
    robot.samples.remove_samples([cup])
    robot.samples.erase_samples([jug])
    assert robot.own.scan().claims == 3
    assert robot.claims() == {sample_id(1): '', sample_id(2): 'mug', sample_id(3): None}
    assert robot.own.scan() == own_samples.Scan(0, 1)
    # What was removed is erased later: the fleet has to delete it, too.
    robot.samples.erase(extractor=EXTRACTOR)
    assert robot.own.scan().claims == 1
    assert robot.claims()[sample_id(1)] is None


def test_undo_and_redo_are_claimed(robot: Robot) -> None:
    first, _ = robot.teach('cup', 1, 2)
    robot.own.scan()
    robot.samples.relabel([first], 'mug')
    robot.samples.remove_samples([first])
    for undo, label in (
        (robot.samples.undo, 'mug'),
        (robot.samples.undo, 'cup'),
        (robot.samples.redo, 'mug'),
        (robot.samples.redo, ''),
        (robot.samples.undo, 'mug'),
    ):
        assert undo() is not None
        robot.own.scan()
        assert robot.claims()[sample_id(1)] == label
    # Everything is undone, even that the samples were added.
    robot.samples.undo()
    robot.samples.undo()
    robot.own.scan()
    assert set(robot.claims().values()) == {''}
    robot.samples.redo()
    robot.own.scan()
    assert set(robot.claims().values()) == {'cup'}
    payload = robot.ledger.payload(sample_id(1))
    assert payload is not None


def test_a_removal_that_undo_no_longer_reaches_is_an_erasure(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = robot.teach('cup', 1, 2)
    robot.own.scan()
    robot.samples.remove_samples([first])
    robot.own.scan()
    assert robot.claims()[sample_id(1)] == ''
    monkeypatch.setattr(journal, 'MAX_CHANGES', 1)
    robot.samples.relabel([second], 'mug')
    robot.own.scan()
    assert robot.claims() == {sample_id(1): None, sample_id(2): 'mug'}
    # It can be taught again.
    robot.teach('cup', 1)
    robot.own.scan()
    assert robot.claims()[sample_id(1)] == 'cup'


def test_of_two_samples_with_the_same_embedding_the_newest_counts(robot: Robot) -> None:
    (older,) = robot.teach('cup', 1)
    (newer,) = robot.teach('mug', 1)
    robot.own.scan()
    assert robot.claims() == {sample_id(1): 'mug'}
    robot.samples.relabel([older], 'jug')
    assert robot.own.scan().claims == 0
    robot.samples.remove_samples([newer])
    robot.own.scan()
    assert robot.claims() == {sample_id(1): 'jug'}
    robot.samples.erase_samples([newer])
    assert robot.own.scan().claims == 0
    robot.samples.remove_samples([older])
    robot.own.scan()
    assert robot.claims() == {sample_id(1): ''}


def test_samples_of_other_extractors_are_not_claimed(robot: Robot) -> None:
    other, _ = robot.teach('cup', 1, 2, extractor='b' * 64)
    robot.teach('mug', 3)
    robot.own.scan()
    assert robot.claims() == {sample_id(3): 'mug'}
    robot.samples.remove_samples([other])
    assert robot.own.scan().claims == 0
    # Embedded again by the extractor of the fleet.
    (again,) = robot.teach('cup', 5, extractor='b' * 64)
    robot.samples.add_embedding(
        again, embedding(6), extractor=EXTRACTOR, quantization=QUANTIZATION
    )
    robot.own.scan()
    assert robot.claims() == {sample_id(3): 'mug', sample_id(6): 'cup'}


def test_another_process_finds_everything_claimed(robot: Robot) -> None:
    first, second, _ = robot.teach('cup', 1, 2, 3)
    robot.own.scan()
    robot.samples.remove_samples([second])
    robot.own.scan()
    robot.close()
    robot.start()
    assert robot.own.scan() == own_samples.Scan(0, 2)
    robot.close()
    robot.start()
    robot.samples.erase_samples([first, second])
    assert robot.own.scan().claims == 2
    assert robot.claims() == {sample_id(1): None, sample_id(2): None, sample_id(3): 'cup'}


@pytest.mark.parametrize('lost', ['tables', 'ledger'])
def test_what_fleet_db_has_lost_is_made_again(robot: Robot, lost: str) -> None:
    robot.teach('cup', 1, 2)
    robot.own.scan()
    robot.close()
    if lost == 'ledger':
        (robot.folder / 'fleet.db').unlink()
    else:
        with sqlite3.connect(robot.folder / 'fleet.db') as connection:
            connection.execute('DROP TABLE own_rows')
            connection.execute('DROP TABLE asked_claims')
    robot.start()
    assert robot.own.scan().claims == (2 if lost == 'ledger' else 0)
    assert robot.claims() == {sample_id(1): 'cup', sample_id(2): 'cup'}
    robot.samples.remove('cup', 1, extractor=EXTRACTOR)
    robot.own.scan()
    assert robot.claims() == {sample_id(1): 'cup', sample_id(2): ''}


@pytest.mark.parametrize('is_scanned', [True, False])
def test_what_a_restored_backup_does_not_have_stays_claimed(
    robot: Robot, is_scanned: bool
) -> None:
    robot.teach('cup', 1, 2)
    robot.samples.checkpoint()
    backup = robot.folder.with_name('backup.db')
    shutil.copy(robot.folder / 'samples.db', backup)
    robot.teach('mug', 3, 4, 5)
    robot.own.scan()
    robot.close()
    for each in robot.folder.glob('samples.db*'):
        each.unlink()
    shutil.copy(backup, robot.folder / 'samples.db')
    robot.start()
    if is_scanned:
        assert robot.own.scan() == own_samples.Scan(0, 5, kept=3)
        assert robot.claims()[sample_id(5)] == 'mug'
    # New samples get ids that were in use before; they are others.
    new = robot.teach('jug', 6, 7)
    assert robot.own.scan() == own_samples.Scan(2, 7, kept=3)
    robot.samples.erase_samples(new)
    assert robot.own.scan() == own_samples.Scan(2, 5, kept=3)
    claims = robot.claims()
    assert [claims[sample_id(each)] for each in (3, 4, 5, 6, 7)] == ['mug'] * 3 + [None] * 2
    # Taught again, it is withdrawn like any other.
    (again,) = robot.teach('mug', 3)
    assert robot.own.scan() == own_samples.Scan(0, 5, kept=2)
    robot.samples.erase_samples([again])
    robot.own.scan()
    assert robot.claims()[sample_id(3)] is None


def test_a_new_database_in_place_of_a_damaged_one_erases_nothing(robot: Robot) -> None:
    robot.teach('cup', 1, 2)
    robot.own.scan()
    robot.close()
    for each in robot.folder.glob('samples.db*'):
        each.rename(robot.folder.parent / each.name)
    robot.start()
    assert robot.own.scan() == own_samples.Scan(0, 2, kept=2)
    assert set(robot.claims().values()) == {'cup'}


def test_a_long_scan_is_made_in_parts(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_samples, 'MAX_CLAIMS_A_SCAN', 10)
    robot.teach('cup', *range(25))
    scans = [robot.own.scan() for _ in range(3)]
    assert [(each.claims, each.is_complete) for each in scans] == [
        (10, False),
        (10, False),
        (5, True),
    ]
    assert len(robot.claims()) == 25
    # A process that has lost its tables does not take what it has not read yet for missing.
    robot.close()
    with sqlite3.connect(robot.folder / 'fleet.db') as connection:
        connection.execute('DROP TABLE own_rows')
    robot.start()
    assert [robot.own.scan().kept for _ in range(4)] == [0] * 4
    robot.samples.relabel_class('cup', 'mug', extractor=EXTRACTOR)
    assert [robot.own.scan().claims for _ in range(4)] == [10, 10, 5, 0]


@pytest.mark.parametrize('erased', [True, False])
def test_a_long_scan_of_removed_samples_is_made_in_parts(
    robot: Robot, monkeypatch: pytest.MonkeyPatch, erased: bool
) -> None:
    numbers = robot.teach('cup', *range(11))
    robot.own.scan()
    monkeypatch.setattr(own_samples, 'MAX_CLAIMS_A_SCAN', 10)
    if erased:
        robot.samples.erase_samples(numbers)
    else:
        robot.samples.remove_samples(numbers)
    new = robot.teach('mug', 20)
    scan = robot.own.scan()
    assert (scan.claims, scan.samples, scan.is_complete) == (10, 1, False)
    # A process that ends in between knows what is left.
    robot.close()
    robot.start()
    assert robot.own.scan() == own_samples.Scan(2, 1)
    gone = None if erased else ''
    assert robot.claims() == {sample_id(each): gone for each in range(11)} | {sample_id(20): 'mug'}
    assert robot.own.scan() == own_samples.Scan(0, 1)
    robot.samples.erase_samples(new)
    assert robot.own.scan() == own_samples.Scan(1, 0)


def test_a_failed_scan_is_repeated(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_samples, '_CLAIMS_A_TIME', 2)
    first, *_ = robot.teach('cup', 1, 2, 3)
    claim, calls = robot.ledger.claim, []

    def fail_once(drafts: list[object]) -> None:
        calls.append(len(drafts))
        if len(calls) == 2:
            raise StoreError('the disk is full')
        claim(drafts)  # type: ignore[arg-type]

    monkeypatch.setattr(robot.ledger, 'claim', fail_once)
    with pytest.raises(StoreError, match='the disk is full'):
        robot.own.scan()
    assert robot.own.scan().claims == 1
    assert calls == [2, 1, 1]
    robot.samples.erase_samples([first])
    robot.own.scan()
    assert robot.claims()[sample_id(1)] is None


def test_labels_that_no_fleet_accepts_are_counted(robot: Robot) -> None:
    (number,) = robot.teach('cup', 1)
    robot.teach('mug', 2)
    robot.own.scan()
    with sqlite3.connect(robot.folder / 'samples.db') as connection:
        # As a release may have stored it for which this was no reserved word.
        connection.execute('UPDATE samples SET label = ? WHERE id = ?', ('Unknown', number))
    assert robot.own.scan() == own_samples.Scan(1, 1, unclaimable=1)
    assert robot.claims() == {sample_id(1): '', sample_id(2): 'mug'}


def test_samples_without_a_recording_have_that_of_their_addition(robot: Robot) -> None:
    first, *_ = robot.teach('cup', 1, 2, recording='')
    robot.teach('cup', 3, recording='kitchen')
    robot.own.scan()
    claims = robot.ledger.own_claims()
    recordings = [claims[sample_id(each)].recording for each in (1, 2, 3)]
    assert recordings == [f'addition {first}', f'addition {first}', 'kitchen']


def test_pictures_are_claimed_only_if_they_are_shared(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    noise = cv2.imencode('.jpg', rng.integers(0, 256, (900, 900, 3), np.uint8))[1].tobytes()
    small = cv2.imencode('.jpg', np.zeros((9, 9, 3), np.uint8))[1].tobytes()
    assert len(noise) > MAX_PICTURE_BYTES
    pictures = {1: small, 2: noise, 3: b'\xff\xd8\xff damaged', 4: None}
    for share in (False, True):
        robot = Robot(tmp_path / str(share), Key.generate(), share_pictures=share)
        for number, jpeg in pictures.items():
            robot.samples.add(
                [Sample('cup', {EXTRACTOR: embedding(number)}, image=jpeg)],
                {EXTRACTOR: QUANTIZATION},
            )
        robot.own.scan()
        payloads = {each: robot.ledger.payload(sample_id(each)) for each in pictures}
        jpegs = {each: payload and payload.jpeg for each, payload in payloads.items()}
        assert all(payload is not None for payload in payloads.values())
        if not share:
            assert set(jpegs.values()) == {None}
        else:
            assert (jpegs[1], jpegs[3], jpegs[4]) == (small, None, None)
            assert jpegs[2] is not None
            assert len(jpegs[2]) <= MAX_PICTURE_BYTES
        robot.close()
