# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""In which epoch a robot seals its claims."""

from __future__ import annotations

from pathlib import Path
import shutil

from support.fleet_members import draft, MakeLedger, member, robot_key, roster

KEY = robot_key(1)


def test_a_restored_robot_begins_a_new_epoch(ledger_of: MakeLedger, tmp_path: Path) -> None:
    bob, path = ledger_of(2), tmp_path / 'fleet.db'
    bob.set_roster(roster([member(1)]))
    messages: list[bytes] = []

    def work(value: int) -> str:
        """Let the robot read all that it has published, and claim and seal one sample."""
        with ledger_of(1, path) as ada:
            for message in messages:
                ada.receive(message)
            ada.claim([draft(value, 'cup')])
            messages.extend(map(ada.message, ada.seal(KEY)))
            return ada.epoch

    first = work(1)
    shutil.copy(path, tmp_path / 'backup')
    assert work(2) == first
    shutil.copy(tmp_path / 'backup', path)
    restored = work(3)
    assert restored != first
    assert work(4) == restored
    assert [bob.receive(message).outcome for message in messages] == ['accepted'] * 4
    assert len(bob.evidence(own=False)) == 4
    assert bob.quarantine() == []


def test_a_restored_robot_that_had_made_no_more_packs_goes_on(
    ledger_of: MakeLedger, tmp_path: Path
) -> None:
    with ledger_of(1, tmp_path / 'fleet.db') as ada:
        ada.claim([draft(1, 'cup')])
        (digest,) = ada.seal(KEY)
        epoch, message = ada.epoch, ada.message(digest)
    with ledger_of(1, tmp_path / 'fleet.db') as ada:
        assert ada.receive(message).outcome == 'known'
        ada.claim([draft(2, 'cup')])
        ada.seal(KEY)
        assert ada.epoch == epoch
