# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Chooses the release that a robot takes: at first, only a share of the robots takes a release."""

from __future__ import annotations

from collections.abc import Callable, Iterable
import contextlib
import hashlib
import threading

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.releases.release import decode, Promotion, Release
from edgetpu_retrain.fleet.roster.roster import Roster

MAX_RELEASES = 8
"""Number of releases of each publisher that are kept, the newest ones: at most 56 MiB."""

_MOST_PROMOTIONS = 256


def is_chosen(key: str, release: str, share: float) -> bool:
    """
    Return whether a robot is in the share of the robots that takes a release.

    A robot that is chosen for a share is also chosen for every larger share of the same release.
    For another release, the robots are chosen independently.

    Args:
        key: public key of the robot.
        release: id of the release.
        share: share of the robots, 0 to 1.

    >>> is_chosen('UA', 'b4', 0.0), is_chosen('UA', 'b4', 1.0)
    (False, True)
    """
    digest = hashlib.sha256(f'{key} {release}'.encode()).digest()
    return int.from_bytes(digest[:8], 'big') < share * 2**64


def newest_for(key: str, messages: Iterable[Release | Promotion]) -> Release | None:
    """
    Return the newest release that a robot is to take; None if there is none.

    Args:
        key: public key of the robot.
        messages: all valid releases and promotions, in any order.
    """
    everything = list(messages)
    decided = _latest_promotions(everything)
    chosen = [
        each
        for each in everything
        if isinstance(each, Release)
        and is_chosen(key, each.id, decided[each.id].share if each.id in decided else each.share)
    ]
    return max(chosen, key=lambda each: (each.issued_ms, each.id), default=None)


def still_used(messages: Iterable[Release | Promotion]) -> list[Release | Promotion]:
    """
    Return the releases and promotions that can still have an effect.

    These are the MAX_RELEASES newest releases of each publisher, and the latest promotion of each
    of them and of each release that is not among ``messages``.  Of these promotions, at most the
    256 latest are returned.

    Args:
        messages: valid releases and promotions, in any order.
    """
    everything = list(messages)
    releases = {each.id: each for each in everything if isinstance(each, Release)}
    # Each publisher has a limit of its own: a publisher that later loses its role must not
    # displace the releases of the others.
    by_publisher: dict[str, list[Release]] = {}
    for each in sorted(releases.values(), key=lambda each: (each.issued_ms, each.id)):
        by_publisher.setdefault(each.publisher, []).append(each)
    newest = [each for listed in by_publisher.values() for each in listed[-MAX_RELEASES:]]
    too_old = releases.keys() - {each.id for each in newest}
    promotions = [
        promotion
        for promotion in _latest_promotions(everything).values()
        if promotion.release not in too_old
    ]
    promotions.sort(key=lambda each: each.issued_ms)
    return [*newest, *promotions[-_MOST_PROMOTIONS:]]


def _latest_promotions(messages: Iterable[Release | Promotion]) -> dict[str, Promotion]:
    """Return the promotion that counts for each release, by the id of the release."""
    latest: dict[str, Promotion] = {}
    for each in messages:
        if isinstance(each, Promotion):
            other = latest.get(each.release)
            if other is None or (each.issued_ms, each.share) > (other.issued_ms, other.share):
                latest[each.release] = each
    return latest


class ReleaseInbox:
    """
    Keeps in memory the releases and promotions that can still have an effect; thread-safe.

    Args:
        key: public key of this robot.
        space: its embedding space.
        roster: returns the newest roster, or None if there is none yet.
    """

    def __init__(
        self, key: str, space: EmbeddingSpace, roster: Callable[[], Roster | None]
    ) -> None:
        self._key = key
        self._space = space
        self._roster = roster
        self._messages: dict[bytes, Release | Promotion] = {}
        self._lock = threading.Lock()

    def accept(self, message: bytes) -> bool:
        """
        Store an untrusted message if it is valid.

        Returns:
            Whether the message is valid; False as long as there is no roster.
        """
        received = self._decoded(message)
        if received is None:
            return False
        with self._lock:
            self._messages[message] = received
            used = set(map(id, still_used(self._messages.values())))
            self._messages = {
                each: decoded for each, decoded in self._messages.items() if id(decoded) in used
            }
        return True

    def newest(self) -> Release | None:
        """Return the newest release that this robot is to take; None if there is none."""
        with self._lock:
            messages = tuple(self._messages)
        # Check each message again: its publisher may have lost its role.
        found = (self._decoded(message) for message in messages)
        return newest_for(self._key, [each for each in found if each is not None])

    def _decoded(self, message: bytes) -> Release | Promotion | None:
        roster = self._roster()
        if roster is None:
            return None
        with contextlib.suppress(FleetError):
            return decode(message, roster, self._space)
        return None
