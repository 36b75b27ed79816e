# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Kills a robot many times while it captures, trains and writes, and checks what is on disk."""

# Without `from __future__ import annotations`, with which pytest 6 cannot load a dataclass.

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
import json
from pathlib import Path
import random
import signal
import subprocess
import time
from typing import Any

from edgetpu_retrain.model_file.metadata.labels import read_labels
from edgetpu_retrain.runtime.models.head_scoring import HeadScorer
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.samples.journal import MAX_CHANGES
import numpy as np
from support.small_models import build_extractor

KILLS = 50
SEED = 20_261
DIMENSION = 64
ROBOT = Path(__file__).with_name('robot_to_kill.py')

# Events at which to kill; '' = at a random moment.
ACTIVITIES = ('add', 'undo', 'redo', 'relabel', 'train', 'save', 'choose', 'prune', '')
# The longest time from an event's announcement to the kill; about the event's duration.
AIM_S = {'train': 0.02, 'save': 0.006, 'choose': 0.004, 'prune': 0.004, '': 0.3}
OTHER_AIM_S = 0.002


Samples = dict[int, tuple[str, bool]]
Choice = list[int]


@dataclass
class Ledger:
    """What the robot has acknowledged, and the change that it announced since."""

    samples: Samples = field(default_factory=dict)
    """Stamp to label, and whether there is a picture."""
    done: list[tuple[int, Samples]] = field(default_factory=list)
    """For each change that can be undone, the first stamp of its request and what was before."""
    undone: list[tuple[int, Samples]] = field(default_factory=list)
    """For each change that can be redone, the last one first, the same and what was after it."""
    versions: set[int] = field(default_factory=set)
    choice: Choice = field(default_factory=lambda: [0, 0, 0])
    """The version that serves, the newest there was when it was chosen, and the swaps so far."""
    pending: dict[str, Any] = field(default_factory=dict)

    def note(self, line: dict[str, Any]) -> None:
        """Process a line of the robot's output."""
        if 'doing' in line:
            assert not self.pending
            self.pending = line
            return
        assert line['done']
        self.apply_pending()
        self.choice = self.choice_after_pending()
        if self.pending['doing'] == 'save':
            assert line['version'] > max(self.versions, default=0)
            self.versions.add(line['version'])
        self.versions -= self.versions_to_prune()
        self.pending = {}

    def compare(self, found: dict[str, Any]) -> None:
        """Compare with what a restarted robot found, and continue from that."""
        samples = {stamp: (label, image) for stamp, label, image in found['samples']}
        if samples != self.samples:
            before = self.samples
            self.apply_pending()
            assert samples == self.samples, f'before {before}, pending {self.pending}'

        versions = set(found['versions'])
        new = versions - self.versions
        assert self.versions - versions <= self.versions_to_prune(), self
        assert len(new) <= (self.pending.get('doing') == 'save'), self
        assert all(version > max(self.versions, default=0) for version in new)
        assert not versions & set(found['unusable'])
        self.versions = versions

        assert found['choice'] in (self.choice, self.choice_after_pending()), self
        self.choice = found['choice']
        # The newest complete model serves, unless an older one was chosen when it was there.
        chosen, newest_then, _ = self.choice
        newest = max(versions, default=0)
        assert found['serves'] == (newest if newest > newest_then else chosen), self
        self.pending = {}

    def samples_after_pending(self) -> Samples:
        """Return the samples after the pending change."""
        after = dict(self.samples)
        match self.pending:
            case {
                'doing': 'add',
                'stamp': stamp,
                'label': label,
                'image': image,
            }:
                after[stamp] = label, image
            case {'doing': 'relabel', 'label': label, 'new_label': new}:
                for stamp, (old, image) in self.samples.items():
                    after[stamp] = (new if old == label else old), image
            case {'doing': 'remove', 'label': label}:
                after = {key: value for key, value in after.items() if value[0] != label}
            case {'doing': 'undo'} if self.done:
                after = self.done[-1][1]
            case {'doing': 'redo'} if self.undone:
                after = self.undone[-1][1]
        return after

    def apply_pending(self) -> None:
        """Make the pending change of the samples."""
        before, self.samples = self.samples, self.samples_after_pending()
        match self.pending:
            case {'doing': 'undo'} if self.done:
                self.undone.append((self.done.pop()[0], before))
            case {'doing': 'redo'} if self.undone:
                self.done.append((self.undone.pop()[0], before))
            case _ if self.samples != before:
                first = self.pending.get('request', 0)
                if not (first and self.done and self.done[-1][0] == first):
                    self.done = [*self.done, (first, before)][-MAX_CHANGES:]
                self.undone.clear()

    def choice_after_pending(self) -> Choice:
        """Return the choice after the pending change."""
        match self.pending:
            case {'doing': 'choose', 'version': version}:
                chosen, _, swaps = self.choice
                return [version, max(self.versions), swaps + (version != chosen)]
        return self.choice

    def versions_to_prune(self) -> set[int]:
        """Return the versions that the pending change deletes."""
        match self.pending:
            case {'doing': 'prune', 'keep': keep}:
                return set(sorted(self.versions)[:-keep]) - {self.choice[0]}
        return set()


def check_serves(folder: Path, version: int, dimension: int) -> None:
    """Run a stored model's head in the real runtime."""
    model = ModelStore(folder / 'models').load(version).read_model()
    scores = HeadScorer(model).scores(np.zeros((1, dimension), np.uint8))
    assert scores.shape == (1, len(read_labels(model)))


def test_after_each_of_50_kills_all_that_was_acknowledged_is_there(
    tmp_path: Path, start_python: Callable[..., subprocess.Popen[str]]
) -> None:
    folder = tmp_path / 'data'
    extractor = tmp_path / 'extractor.tflite'
    extractor.write_bytes(build_extractor('uint8', dimension=DIMENSION))
    chance = random.Random(SEED)
    ledger = Ledger()
    interrupted: Counter[str] = Counter()
    for life in range(KILLS + 1):
        with start_python(ROBOT, folder, extractor, SEED + life) as robot:
            assert robot.stdin is not None
            assert robot.stdout is not None
            found = json.loads(robot.stdout.readline())
            ledger.compare(found)
            if found['serves']:
                check_serves(folder, found['serves'], DIMENSION)
            if life == KILLS:
                break
            robot.stdin.write('go\n')
            robot.stdin.flush()
            aim, times = chance.choice(ACTIVITIES), chance.randrange(1, 4)
            while times:
                line = json.loads(robot.stdout.readline())
                ledger.note(line)
                times -= line.get('doing', '') == aim
            # There are no events between an announcement and its acknowledgement.
            time.sleep(chance.uniform(0.0, AIM_S.get(aim, OTHER_AIM_S)))
            robot.kill()
            for rest in robot.stdout:
                ledger.note(json.loads(rest))
            assert robot.wait() == -signal.SIGKILL
            interrupted[ledger.pending.get('doing', '')] += 1
    assert len(interrupted) >= 3, f'the kills missed what they were aimed at: {interrupted}'
