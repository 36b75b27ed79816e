# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""EvidenceLearner: trains on the samples of the fleet, in a child process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edgetpu_retrain.fleet.training.child import RoundOrder, train_in_child


@dataclass(frozen=True)
class Learned:
    """
    The result of learning from the fleet.

    Args:
        words: what became of it, a sentence; '' = there was nothing new.
        version: the model version that was stored; 0 = none.
        trusted: number of samples that the robot trusts; 0 = not known.
    """

    words: str
    version: int = 0
    trusted: int = 0


class Learner(Protocol):
    """Learns from a fleet."""

    async def learn(self) -> Learned:
        """Train, or take a released head, if there is anything new."""

    def accept_release(self, message: bytes) -> bool:
        """Return whether a message is a release that this robot may use; called in a thread."""


class EvidenceLearner:
    """
    Trains on the samples that the robot trusts.

    Args:
        order: what the child process needs to know.
    """

    def __init__(self, order: RoundOrder) -> None:
        self._order = order

    async def learn(self) -> Learned:
        """Train if there is anything new."""
        result = await train_in_child(self._order)
        trusted = int(result.figures.get('samples', 0))
        if result.outcome == 'served':
            words = f'model version {result.version} is trained on {trusted} samples of the fleet'
            return Learned(f'{words}; {result.reason}'.rstrip('; '), result.version, trusted)
        return Learned(result.reason, 0, trusted)

    def accept_release(self, _message: bytes) -> bool:
        """Return False: this robot trains its own heads."""
        return False
