# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A small fleet with embeddings to train on, real ledgers and a real extractor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.pack import Payload
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.ledger.sealing import Draft
from edgetpu_retrain.fleet.robot.node_settings import NodeSettings
from edgetpu_retrain.fleet.training.child import RoundOrder
from edgetpu_retrain.fleet.training.pool import Pool
from edgetpu_retrain.fleet.training.training_round import RoundOptions, RoundResult, run_round
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.runtime.models.head_scoring import HeadScorer
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import numpy.typing as npt
from support.fleet_members import FLEET, member, robot_key, roster
from support.small_models import build_extractor

Bytes = npt.NDArray[np.uint8]

DIMENSION = 16
# A child process knows the real time, and claims of the future wait.
_NOW_MS = 1_700_000_000_000
EXTRACTOR = build_extractor('uint8', dimension=DIMENSION)
_ABOUT = describe(EXTRACTOR)
_KIND = EmbeddingKind(DIMENSION, 'uint8', _ABOUT.quantization)
SPACE = EmbeddingSpace(_ABOUT.identity, _KIND, '')
ROSTER = roster([member(number) for number in range(12)])


def views(looks_like: int, count: int, *, place: int, seed: int) -> Bytes:
    """Return embeddings of a thing, one of DIMENSION, as it looks in a place."""
    rng = np.random.default_rng([looks_like, place, seed])
    shift = np.random.default_rng(1000 + place).normal(0.0, 8.0, DIMENSION)
    center = np.full(DIMENSION, 60.0) + 60.0 * np.eye(DIMENSION)[looks_like] + shift
    values = center + rng.normal(0.0, 20.0, (count, DIMENSION))
    rows: Bytes = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rows


class Lessons:
    """What the robots of a fleet have taught, as packs in the order in which they were sealed."""

    def __init__(self) -> None:
        self.packs: dict[int, list[bytes]] = {}
        self._ledgers: dict[int, Ledger] = {}
        self._ticks = 0

    def teach(self, robot: int, label: str, rows: Bytes, recording: str) -> None:
        """Let a robot take samples and claim a label for them."""
        drafts = []
        for row in rows:
            data = _KIND.to_disk(row)
            drafts.append(Draft(SPACE.sample_id(data), label, recording, Payload(data, None)))
        self._claim(robot, drafts)

    def relabel(self, robot: int, label: str, rows: Bytes) -> None:
        """Let a robot claim a label for the samples of others."""
        self._claim(
            robot,
            [Draft(SPACE.sample_id(_KIND.to_disk(row)), label, '') for row in rows],
        )

    def keys(self) -> list[str]:
        """Return the public keys of the robots, by their numbers."""
        return [robot_key(number).public for number in range(12)]

    def ledger(
        self,
        me: int,
        robots: Iterable[int],
        *,
        path: Path | str = ':memory:',
        order: Callable[[list[bytes]], list[bytes]] = list,
        permissions: bytes = ROSTER,
    ) -> Ledger:
        """Return the ledger of a robot that has received what these robots have taught."""
        ledger = Ledger(path, SPACE, me=robot_key(me).public, fleet=FLEET.public, now_ms=self._now)
        ledger.set_roster(permissions)
        for message in order([each for robot in robots for each in self.packs.get(robot, [])]):
            ledger.receive(message)
        return ledger

    def _claim(self, robot: int, drafts: list[Draft]) -> None:
        key = robot_key(robot)
        if robot not in self._ledgers:
            self._ledgers[robot] = Ledger(
                ':memory:', SPACE, me=key.public, fleet=FLEET.public, now_ms=self._now
            )
        ledger = self._ledgers[robot]
        ledger.claim(drafts)
        packs = self.packs.setdefault(robot, [])
        packs += [ledger.message(digest) for digest in ledger.seal(key)]

    def _now(self) -> int:
        self._ticks += 1
        return _NOW_MS + self._ticks


def train(
    folder: Path,
    ledger: Ledger,
    options: RoundOptions = RoundOptions(),  # noqa: B008
) -> RoundResult:
    """Run one round of a robot in this process."""
    evidence, claims = ledger.evidence(own=True), ledger.own_claims()
    return run_round(
        folder, EXTRACTOR, evidence, claims, ledger.frontier(), ledger.me, options,
        evidence_without=lambda keys: ledger.evidence(own=True, without=keys),
    )  # fmt: skip


def order_for(folder: Path) -> RoundOrder:
    """Return an order for robot 0, with options that are not the default ones."""
    folder.mkdir(exist_ok=True)
    extractor = folder / 'extractor.tflite'
    extractor.write_bytes(EXTRACTOR)
    return RoundOrder(
        str(folder), str(folder / 'fleet.db'), robot_key(0).public, FLEET.public,
        NodeSettings('/retrain', str(folder), str(extractor)),
        RoundOptions(0.4, 3, TrainingOptions(seed=7)),
    )  # fmt: skip


def pool_of(ledger: Ledger) -> Pool:
    """Return the samples of a ledger as a training sees them."""
    return Pool.of(ledger.evidence(own=True), ledger.own_claims(), ledger.me, _ABOUT.quantization)


def newest_model(folder: Path) -> bytes:
    """Return the newest model of a data folder."""
    models = ModelStore(folder / 'models')
    newest = models.latest()
    if newest is None:
        raise StoreError('there is no model')
    return newest.read_model()


def accuracy(folder: Path, seen: dict[str, Bytes]) -> float:
    """Return how much the newest model of a data folder has right of views, by their class."""
    newest = ModelStore(folder / 'models').latest()
    if newest is None:
        raise StoreError('there is no model')
    scorer, labels = HeadScorer(newest.read_model()), newest.record.labels
    right = [
        labels[best] == label
        for label, rows in seen.items()
        for best in np.argmax(scorer.scores(rows), axis=1)
    ]
    return float(np.mean(right))
