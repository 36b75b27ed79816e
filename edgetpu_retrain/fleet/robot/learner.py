# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Learners: a robot learns from the samples of its fleet, or takes released heads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.releases.released_head import take_release
from edgetpu_retrain.fleet.releases.staging import ReleaseInbox
from edgetpu_retrain.fleet.training.child import RoundOrder, train_in_child
from edgetpu_retrain.fleet.training.last_round import LastRound
from edgetpu_retrain.fleet.training.training_round import RoundOptions, RoundResult
from edgetpu_retrain.wording import quoted


@dataclass(frozen=True)
class Learned:
    """
    The result of learning from the fleet.

    Args:
        words: the result as text; '' = there was nothing new.
        version: number of the model version that was stored or accepted again; 0 = none.
        trusted: number of samples on which the head was trained; 0 = not known.
    """

    words: str
    version: int = 0
    trusted: int = 0


class Learner(Protocol):
    """The interface of :class:`EvidenceLearner` and :class:`ReleaseLearner`."""

    @property
    def accept_release(self) -> Callable[[bytes], bool] | None:
        """
        The function that stores a received release or promotion; None = no releases are needed.

        It returns False, and stores nothing, if the message is not valid.
        """

    @property
    def needs_evidence(self) -> bool:
        """Whether the learner needs the packs of other members."""

    @property
    def rejection(self) -> str:
        """When and why the last head was rejected, also in an earlier process; '' = it was not."""

    async def learn(self) -> Learned:
        """Train, or take a released head, if there is anything new."""

    def problem_of(self, version: int, /) -> str:
        """Return why a model version should be replaced, and how; '' = it may serve."""


class EvidenceLearner:
    """
    Trains on the samples that the robot trusts, in a child process.

    Args:
        order: the input of the child process.
    """

    accept_release = None
    needs_evidence = True

    def __init__(self, order: RoundOrder) -> None:
        self._order = order
        self._last = LastRound.read(Path(order.folder))
        # Why the last round accepted no head; '' before the first round of this process.
        self._refusal = ''

    @property
    def rejection(self) -> str:
        """When and why the last head was rejected, also in an earlier process; '' = it was not."""
        return self._last.rejection

    async def learn(self) -> Learned:
        """Train, unless there is nothing new."""
        result = await train_in_child(self._order)
        self._last = await asyncio.to_thread(LastRound.read, Path(self._order.folder))
        self._refusal = result.reason or self._last.rejected
        return _learned(result, self._last, 'trained on')

    def problem_of(self, version: int) -> str:
        """
        Return a sentence if a released head still serves because its successor was rejected.

        A trained head is no problem here: the next training forgets what no longer counts.
        """
        if not (self._last.publisher and version == self._last.version and self._refusal):
            return ''
        return (
            f"released model version {version} still serves: the head trained on the fleet's "
            f'samples was rejected ({self._refusal}); teach more samples, correct labels, or set '
            'learn_from:=releases'
        )


class ReleaseLearner:
    """
    Stores a released head if it is not worse than a head trained on this robot's samples.

    Args:
        folder: the data folder of the node.
        extractor: bytes of the node's extractor.
        ledger: the claims of the fleet.
        options: how to train the head with which a released head is compared, and how many model
            versions to keep.
    """

    needs_evidence = False

    def __init__(
        self, folder: Path, extractor: bytes, ledger: Ledger, options: RoundOptions
    ) -> None:
        self._folder = folder
        self._extractor = extractor
        self._ledger = ledger
        self._options = options
        self._inbox = ReleaseInbox(ledger.me, ledger.space, lambda: ledger.roster)
        self.accept_release: Callable[[bytes], bool] | None = self._inbox.accept
        self._last = LastRound.read(folder)
        # As in EvidenceLearner.
        self._refusal = ''

    @property
    def rejection(self) -> str:
        """When and why the last head was rejected, also in an earlier process; '' = it was not."""
        return self._last.rejection

    async def learn(self) -> Learned:
        """
        Examine the newest release for this robot, and store its head if the gate accepts it.

        The same release is examined again if this robot's samples or the claims about them have
        changed, or if another program has stored a version.
        """
        return await asyncio.to_thread(self._take)

    def problem_of(self, version: int) -> str:
        """
        Return why a version should be replaced; '' = it may serve.

        Either its publisher is no longer allowed to release, or it was trained on samples that
        this robot no longer receives, and the release that should replace it was rejected.
        """
        publisher, roster = self._last.publisher, self._ledger.roster
        if not version or version != self._last.version:
            return ''
        if not publisher:
            return self._refusal and (
                f"model version {version}, trained on the fleet's samples, still serves: the "
                f'released head was rejected ({self._refusal}); release another one, or set '
                'learn_from:=evidence'
            )
        if roster is None or roster.may_release(publisher):
            return ''
        member = roster.member(publisher)
        name = quoted(member.name) if member is not None else publisher[:8]
        return (
            f'model version {version} is a released head of {name}, whose releases do not '
            'count any more: release another one at the station, with '
            "'edgetpu_retrain fleet release' and 'edgetpu_retrain fleet promote latest'"
        )

    def _take(self) -> Learned:
        release = self._inbox.newest()
        if release is None:
            return Learned('')
        result = take_release(
            self._folder,
            self._extractor,
            release,
            self._ledger.evidence(own=True),
            self._ledger.own_claims(),
            self._ledger.me,
            self._options,
        )
        self._last = LastRound.read(self._folder)
        self._refusal = result.reason or self._last.rejected
        return _learned(result, self._last, 'a released head, trained on')


def _learned(result: RoundResult, last: LastRound, how: str) -> Learned:
    """Return the result of a round as text; ``last`` is what the round has stored."""
    trusted = int(result.figures.get('samples', 0))
    if result.outcome == 'rejected':
        return Learned(last.rejection, 0, trusted)
    if result.figures:
        words = f'model version {last.version} is {how} {trusted} samples of the fleet'
        return Learned(f'{words}; {result.reason}'.rstrip('; '), last.version, trusted)
    return Learned(result.reason)
