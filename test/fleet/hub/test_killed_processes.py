# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Robots and hub as processes that are killed at random: nothing is lost, and all end alike.

``FLEET_ROUNDS=20`` in the environment plays more rounds than the few of each test run.
"""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import json
import os
from pathlib import Path
import random
import subprocess
import sys
import time
from typing import Any

from edgetpu_retrain.fleet.evidence.keys import Key
import pytest
from support.fleet_robot import acceptable
from support.hub_network import run
from support.hub_server import HubServer
from support.online_member import prepare, roster_of
from support.waiting import PATIENCE_S, wait_until

ROUNDS = int(os.environ.get('FLEET_ROUNDS', '3'))
NUM_ROBOTS = 4


class RobotProcess:
    """A robot as a process."""

    def __init__(self, folder: Path, url: str, key: Key, roster: Path) -> None:
        self.folder = folder
        self._arguments = [str(folder), url, key.seed, str(roster)]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, '-m', 'support.fleet_robot', *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {'PYTHONPATH': os.pathsep.join(sys.path)},
            )

    def num_claims(self) -> int:
        log = self.folder / 'claims'
        return log.read_bytes().count(b'did') if log.exists() else 0

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def ask(self, question: str) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f'{question}\n')
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


@pytest.fixture
def robots(tmp_path: Path) -> Iterator[tuple[HubServer, list[RobotProcess]]]:
    keys = [Key.generate() for _ in range(NUM_ROBOTS)]
    roster = tmp_path / 'roster'
    roster.write_bytes(roster_of(keys))
    with (
        HubServer(tmp_path / 'hub', {key.public: ['teach'] for key in keys}) as hub,
        contextlib.ExitStack() as stack,
    ):
        run(prepare(hub))
        processes = [
            RobotProcess(tmp_path / f'robot {number}', hub.url, key, roster)
            for number, key in enumerate(keys)
        ]
        for process in processes:
            stack.callback(process.kill)
            process.start()
        yield hub, processes


def test_all_end_alike_after_any_of_them_was_killed(
    robots: tuple[HubServer, list[RobotProcess]],
) -> None:
    hub, processes = robots
    source = random.Random()
    for number in range(ROUNDS):
        for process in processes:
            process.start()
        wait_for_claims(processes)
        time.sleep(source.uniform(0.2, 1.0))
        for process in source.sample(processes, source.randint(0, 2)):
            process.kill()
        if number % 2 == 0:
            hub.kill()
            if number % 4 == 0:
                hub.copy(f'backup {number}')
            elif number % 4 == 2:
                hub.restore(f'backup {number - 2}')
            time.sleep(source.uniform(0.0, 0.5))
            hub.start()
    for process in processes:
        process.start()
        process.ask('settle')
    looks = until_alike(processes)
    num_claims = 0
    for process, look in zip(processes, looks, strict=True):
        for sample, labels in acceptable(process.folder / 'claims'):
            num_claims += 1
            assert look['own'].get(sample) in labels
    print(f'{ROUNDS} rounds, {num_claims} claimed samples, {looks[0]["count"]} in the end')


def wait_for_claims(processes: list[RobotProcess]) -> None:
    """Wait until each has made a claim more, however long it takes to start."""
    before = [process.num_claims() for process in processes]
    wait_until(
        lambda: all(
            process.num_claims() > count for process, count in zip(processes, before, strict=True)
        )
    )


def until_alike(processes: list[RobotProcess]) -> list[dict[str, Any]]:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        looks = [process.ask('look') for process in processes]
        are_done = all(look['unsealed'] == 0 and look['behind'] == 0 for look in looks)
        if are_done and len({look['dump'] for look in looks}) == 1:
            return looks
        if time.monotonic() > deadline:
            raise TimeoutError(json.dumps([look | {'own': len(look['own'])} for look in looks]))
        time.sleep(0.1)
