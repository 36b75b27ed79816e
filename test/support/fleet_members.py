# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Keys, samples, claims and rosters of a small fleet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.pack import Payload
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.ledger.sealing import Draft
from edgetpu_retrain.fleet.roster import roster_message
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind

SPACE = EmbeddingSpace(
    'a' * 64, EmbeddingKind(8, 'uint8', QuantizationParameters(1.0, 0)), normalization=''
)
FLEET = Key(b'\0' * 32, 'account')
"""The key that signs rosters."""

NOW_MS = 1_800_000_000_000

MakeLedger = Callable[..., Ledger]
"""Opens the ledger of a robot: its number, and optionally path and time."""


def robot_key(number: int) -> Key:
    """Return the key of a robot."""
    return Key(number.to_bytes(32, 'big'), 'user')


def embedding(value: int) -> bytes:
    """Return the embedding of a sample that is known by a number."""
    return value.to_bytes(8, 'big')


def sample_id(value: int) -> bytes:
    """Return the id of a sample that is known by a number."""
    return SPACE.sample_id(embedding(value))


def draft(value: int, label: str, recording: str = 'today', jpeg: bytes | None = None) -> Draft:
    """Return a claim of a robot's own sample."""
    return Draft(sample_id(value), label, recording, Payload(embedding(value), jpeg))


def relabel(value: int, label: str) -> Draft:
    """Return a claim about the sample of another robot."""
    return Draft(sample_id(value), label, '')


def tombstone(value: int, *, erased: bool = False) -> Draft:
    """Return a claim that takes back what was claimed."""
    return Draft(sample_id(value), '', 'today', erased=erased)


def missing_packs(ledger: Ledger, hub: str) -> list[bytes]:
    """Return the hashes of the packs that a hub lacks."""
    return [pack.hash for pack in ledger.hub(hub).missing()]


def member(
    number: int, *roles: str, keep: Mapping[str, tuple[int, bytes]] | None = None
) -> Member:
    """Return a member of the roster; without roles it may teach."""
    return Member(
        robot_key(number).public, f'robot {number}', frozenset(roles or ('teach',)), keep=keep
    )


def roster(members: Iterable[Member], version: int = 1, erased: Iterable[int] = ()) -> bytes:
    """Return a signed roster."""
    samples = frozenset(map(sample_id, erased))
    return roster_message.sign(
        Roster(FLEET.public, version, NOW_MS, tuple(members), samples), FLEET
    )
