# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Kill the whole node while it captures, trains and writes, and ask the next one what is left."""

# Without `from __future__ import annotations`, with which pytest 6 cannot load a dataclass.

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
import random
import signal
import time
from typing import Any

from action_msgs.msg import GoalStatus
from edgetpu_retrain.store.files.ownership import Ownership
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain_interfaces.msg import Result
from support.running_node import (
    image_message,
    PATIENCE_S,
    pattern,
    Person,
    RunningNode,
    wait_for_response,
)
from support.waiting import wait_until

SEED = 20_262
# What the kills are aimed at; in an order of chance.
MOMENTS = ('capture', 'training', 'writing while capturing', 'writing', 'answer while training')
IMAGES = {label: image_message(pattern(seed)) for seed, label in enumerate(('cat', 'dog'), 1)}
# A request for so many frames takes some 0.2 s of the camera, so that a kill falls into it.
FRAMES = 5
ENDLESS = 1_000_000


@dataclass
class Ledger:
    """What the node has acknowledged, and what was asked of it besides."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[str, int, Any]] = field(default_factory=list)
    """Label, number of frames and future answer of each request of this life."""
    version: int = 0
    """The newest that a goal's result told of."""

    def settle(self, found: Counter[str]) -> None:
        """Compare with what the next life has found, which is the truth from then on."""
        most = Counter(self.acknowledged)
        for label, count, answer in self.asked:
            # Closing the client fails what the node has not responded to.
            error = answer.exception()
            assert error is None or error.response is None, error
            added = answer.result().added if error is None else 0
            self.acknowledged[label] += added
            most[label] += added if error is None else count
        assert self.acknowledged <= found <= most, f'{self.acknowledged} <= {found} <= {most}'
        self.acknowledged = found
        self.asked = []


class Life:
    """One node, from its start to its kill, and a person who has never seen the one before."""

    def __init__(self, node: RunningNode, person: Person, ledger: Ledger) -> None:
        self.node = node
        self.person = person.wait_until_ready()
        self.ledger = ledger
        self.camera = person.camera()
        self.camera.show(IMAGES['cat'])

    def check(self, models: Path) -> None:
        """Make sure that everything acknowledged is there and serves, untouched by hand."""
        listed = self.person.list_samples()
        assert listed.success, listed.message
        self.ledger.settle(Counter(dict(zip(listed.labels, listed.counts, strict=True))))
        versions = [0, *ModelStore(models).versions()]
        newest = max(versions)
        assert self.ledger.version in versions
        # A kill between the last file and the answer leaves a model that nobody was told of.  Its
        # number may be further on: that of files which a kill left incomplete is not used again.
        assert len([each for each in versions if each > self.ledger.version]) <= 1
        self.ledger.version = newest
        if newest:
            served = self.person.collect(Result, 'result').next_one()
            assert served.model_version == newest
        assert not list(models.glob('.*.partial'))
        log = '\n'.join(self.node.log)
        assert not any(word in log for word in ('[WARN]', '[ERROR]', 'Traceback')), log

    def teach(self, label: str) -> None:
        """Have frames captured; the answer is waited for."""
        self.ask(label)
        answer = self.ledger.asked[-1][2]
        wait_for_response(answer)

    def ask(self, label: str) -> None:
        """Have frames captured; the answer may come, or a kill before it."""
        self.camera.show(IMAGES[label])
        later = self.person.add_later(label, count=FRAMES, timeout_s=PATIENCE_S)
        self.ledger.asked.append((label, FRAMES, later))

    def train(self) -> None:
        """Train a model, all the way."""
        status, result = self.person.train(num_iter=100, learning_rate=0.1)
        assert status == GoalStatus.STATUS_SUCCEEDED, result.message
        self.ledger.version = result.model_version

    def run_until(self, moment: str, chance: random.Random, models: Path) -> None:
        """Do what a kill is to interrupt, and return at a moment of chance within it."""
        if 'while training' in moment or moment == 'training':
            goal = self.person.start_training(num_iter=ENDLESS, print_every=1)
            for _ in range(chance.randrange(1, 4)):
                goal.feedback.next_one()
        if 'captur' in moment:
            self.teach(chance.choice(list(IMAGES)))
            self.ask(chance.choice(list(IMAGES)))
        if 'answer' in moment:
            # What is not stored by now was acknowledged too early.
            self.teach(chance.choice(list(IMAGES)))
            return
        if 'writing' in moment:
            before = set(models.iterdir())
            self.person.start_training(num_iter=100, learning_rate=0.1)
            # No event tells of the few milliseconds in which files are written.
            wait_until(lambda: not set(models.iterdir()) <= before, poll_s=0.0)
            time.sleep(chance.uniform(0.0, 0.006))
        else:
            time.sleep(chance.uniform(0.0, 0.15))


def test_after_each_of_5_kills_all_that_was_acknowledged_is_there_and_serves(
    start_node: Any, tmp_path: Path
) -> None:
    print(f'seed of the kills: {SEED}')
    chance = random.Random(SEED)
    data, models = tmp_path / 'data', tmp_path / 'data' / 'models'
    ledger = Ledger()
    for moment in [*chance.sample(MOMENTS, len(MOMENTS)), '']:
        node: RunningNode = start_node({'store_images': 'full'}).wait_until_ready()
        with Person() as person:
            life = Life(node, person, ledger)
            life.check(models)
            if not moment:
                break
            if not ledger.version:
                life.teach('cat')
                life.teach('dog')
                life.train()
            life.run_until(moment, chance, models)
            assert node.end(signal.SIGKILL) == -signal.SIGKILL
        Ownership(data).release()
