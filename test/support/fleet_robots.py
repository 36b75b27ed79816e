# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Robots of a fleet without a hub: their samples, ledgers and questions, in data folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
import itertools
from pathlib import Path

from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.robot.own_samples import OwnSamples
from edgetpu_retrain.fleet.robot.questions import FleetQuestioner
from edgetpu_retrain.fleet.robot.robot_tables import RobotTables
from edgetpu_retrain.fleet.roster import roster_message
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.questions.question_store import QuestionStore
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np

EXTRACTOR = 'a' * 64
QUANTIZATION = QuantizationParameters(0.5, 3)
SPACE = EmbeddingSpace(EXTRACTOR, EmbeddingKind(8, 'uint8', QUANTIZATION), '')


def embedding(number: int) -> np.ndarray:  # type: ignore[type-arg]
    """Return an embedding that no other number has."""
    return np.array([number % 256, number // 256 % 256, number // 65536, 1, 2, 3, 4, 5], np.uint8)


def sample_id(number: int) -> bytes:
    """Return the id in the fleet of a sample with that embedding."""
    return SPACE.sample_id(embedding(number).tobytes())


class Robot:
    """
    A robot of a fleet, without a hub.

    Args:
        folder: its data folder.
        key: its key.
        fleet: public key of the fleet.
        share_pictures: whether its claims come with thumbnails.
    """

    def __init__(
        self, folder: Path, key: Key, fleet: str = '', *, share_pictures: bool = False
    ) -> None:
        self.folder = folder
        self.key = key
        self._fleet = fleet
        self._share_pictures = share_pictures
        self.start()

    def start(self) -> None:
        """Open the files, as a process that starts."""
        self.folder.mkdir(exist_ok=True)
        self.samples = SampleStore(self.folder / 'samples.db')
        path = self.folder / 'fleet.db'
        self.ledger = Ledger(path, SPACE, me=self.key.public, fleet=self._fleet)
        self.tables = RobotTables(path)
        self.own = OwnSamples(
            self.samples,
            self.ledger,
            self.tables,
            SPACE,
            share_pictures=self._share_pictures,
        )
        self.questioner = FleetQuestioner(
            self.samples, self.ledger, self.tables, SPACE, self.key.public
        )
        self.questions = QuestionStore(self.samples)

    def close(self) -> None:
        """Close the files."""
        self.samples.close()
        self.tables.close()
        self.ledger.close()

    def teach(
        self,
        label: str,
        *numbers: int,
        recording: str | None = 'first',
        extractor: str = EXTRACTOR,
        image: bytes | None = None,
    ) -> tuple[int, ...]:
        """Store samples with these embeddings; return their ids in samples.db."""
        samples = [
            Sample(label, {extractor: embedding(each)}, recording=recording, image=image)
            for each in numbers
        ]
        return self.samples.add(samples, {extractor: QUANTIZATION})

    def claims(self) -> dict[bytes, str | None]:
        """Return the label that is claimed of each sample; None = erased."""
        return {
            sample: None if claim.erased else claim.label
            for sample, claim in self.ledger.own_claims().items()
        }

    def publish(self, *others: Robot) -> None:
        """Scan, seal and give all packs to other robots."""
        while not self.own.scan().is_complete:
            pass
        self.ledger.seal(self.key)
        for pack in self.ledger.hub('').missing():
            for other in others:
                other.ledger.receive(self.ledger.message(pack.hash))

    def asked(self) -> dict[str, tuple[str, ...]]:
        """Update the questions; return the claimed labels of each, by who claims them."""
        self.questioner.update()
        listed = self.questions.list_questions(0, extractor=EXTRACTOR)
        return {each.camera: tuple(given.label for given in each.given) for each in listed}

    def answer(self, label: str, claimants: str) -> None:
        """Answer the question about claims of others; '' dismisses it."""
        listed = self.questions.list_questions(0, extractor=EXTRACTOR)
        (number,) = [each.question_id for each in listed if each.camera == claimants]
        if label:
            self.questions.answer([number], label)
        else:
            self.questions.dismiss([number])


@dataclass
class Fleet:
    """The robots of a fleet, and its roster."""

    folder: Path
    key: Key = field(default_factory=lambda: Key.generate('account'))
    robots: dict[str, Robot] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def add(self, name: str, role: str, labels: tuple[str, ...] = ()) -> Robot:
        """Add a robot; all others hear of it."""
        key = Key.generate()
        robot = self.robots[name] = Robot(self.folder / name, key, self.key.public)
        self.members.append(Member(key.public, name, frozenset({'read', role}), labels))
        roster = Roster(self.key.public, next(self.versions), 0, tuple(self.members))
        message = roster_message.sign(roster, self.key)
        for each in self.robots.values():
            each.ledger.set_roster(message)
        return robot
