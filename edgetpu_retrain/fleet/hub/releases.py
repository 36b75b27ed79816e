# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Releases: the released heads that a member has, and passes on from hub to hub."""

from __future__ import annotations

from collections.abc import Callable
import hashlib
import threading

# Maximum number of releases in memory: a release of the largest size has 7 MB.
_MOST = 16


class Releases:
    """
    The latest releases that came from a hub; thread-safe.

    Args:
        accept: returns whether a received message is a release that this member may use; other
            messages are neither kept nor passed on.  Called in any thread.
    """

    def __init__(self, accept: Callable[[bytes], bool]) -> None:
        self._accept = accept
        self._messages: dict[bytes, bytes] = {}
        self._at: dict[bytes, set[str]] = {}
        self._lock = threading.Lock()

    def forget(self, hub: str) -> None:
        """Forget which releases a hub has, before its stream is read from the beginning."""
        with self._lock:
            for hubs in self._at.values():
                hubs.discard(hub)

    def receive(self, message: bytes, hub: str) -> bool:
        """
        Keep a release if it is accepted, and note that a hub has it.

        Returns:
            Whether the release is new; False if it is not accepted.
        """
        digest = hashlib.sha256(message).digest()
        with self._lock:
            must_check = digest not in self._at
        # Check without the lock: checking takes long, and missing(), which needs the lock, runs in
        # the event loop.
        if must_check and not self._accept(message):
            return False
        with self._lock:
            # Another hub may have sent the message while it was checked.
            is_new = digest not in self._at
            if is_new:
                self._messages[digest] = message
                self._at[digest] = set()
                # The hashes of deleted releases stay in _at.  Otherwise old releases would
                # replace newer ones each time that a hub is read again.
                for oldest in list(self._messages)[:-_MOST]:
                    del self._messages[oldest]
            self._at[digest].add(hub)
        return is_new

    def missing(self, hub: str) -> list[bytes]:
        """Return the kept releases, as messages, that a hub is not known to have."""
        with self._lock:
            return [
                message for each, message in self._messages.items() if hub not in self._at[each]
            ]
