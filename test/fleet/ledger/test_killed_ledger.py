# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Kills a member many times while it writes its ledger, and checks what is on disk."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
import json
import os
from pathlib import Path
import random
import signal
import sqlite3
import subprocess
import sys
import time
from typing import Any

from edgetpu_retrain.fleet.ledger.ledger import Ledger
from support.fleet_members import FLEET, robot_key, sample_id, SPACE

KILLS = 20
# Which step a kill interrupts is chance: there are more kills until all kinds were interrupted.
MOST_KILLS = 200
SEED = 20_261
MEMBER = Path(__file__).with_name('ledger_to_kill.py')
# The longest time from a line to the kill, about the duration of a step.
AIM_S = 0.01
STEPS = {'claim', 'seal', 'receive'}


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start the member."""
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)}
    # A killed process cannot report its coverage, so do not measure it.
    environment.pop('COVERAGE_PROCESS_START', None)
    return subprocess.Popen(
        [sys.executable, MEMBER, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def test_after_each_of_20_kills_all_that_was_acknowledged_is_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / 'fleet.db'
    chance = random.Random(SEED)
    claimed: set[int] = set()
    packs: set[str] = set()
    interrupted: Counter[str] = Counter()
    for life in range(MOST_KILLS):
        last = max(claimed, default=0)
        with start(path, SEED + life, last) as process:
            assert process.stdout is not None
            lines: list[dict[str, Any]] = [
                json.loads(process.stdout.readline()) for _ in range(chance.randrange(1, 12))
            ]
            time.sleep(chance.uniform(0.0, AIM_S))
            process.kill()
            lines.extend(map(json.loads, process.stdout))
            assert process.wait() == -signal.SIGKILL
        pending: set[int] = set()
        for line in lines:
            packs.update(line.get('packs', ()))
            if 'done' in line:
                claimed.update(line.get('values', ()))
        if 'doing' in lines[-1]:
            interrupted[lines[-1]['doing']] += 1
            pending = set(lines[-1].get('values', ()))
        claimed |= check(path, claimed, pending, packs)
        if life + 1 >= KILLS and interrupted.keys() == STEPS:
            break
    assert interrupted.keys() == STEPS, f'the kills missed what they were aimed at: {interrupted}'


def check(path: Path, claimed: set[int], pending: set[int], packs: set[str]) -> set[int]:
    """Check what is on disk; return the claims of a step that was complete when it was killed."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
    with Ledger(path, SPACE, me=robot_key(1).public, fleet=FLEET.public) as ledger:
        own = ledger.own_claims()
        complete = {value for value in pending if sample_id(value) in own}
        assert complete in (set(), pending)
        assert own.keys() == {sample_id(value) for value in claimed | complete}
        assert all(ledger.payload(sample) is not None for sample in own)
        for digest in packs:
            assert ledger.message(bytes.fromhex(digest))
        # Each claim is either sealed or not, once.
        assert ledger.quarantine() == []
        sealed = len(own) - ledger.unsealed_count
        with closing(sqlite3.connect(path)) as connection:
            (count,) = connection.execute(
                'SELECT COUNT(*) FROM claims JOIN packs ON packs.id = pack WHERE sealed_here'
            ).fetchone()
        assert count == sealed
    return complete
