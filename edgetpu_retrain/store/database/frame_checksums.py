# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Verifies frames of SQLite's write-ahead log by their checksums.

Each frame contains the checksum of all frames up to and including itself.  Each pair of 32-bit
words x0, x1 changes the checksum s0, s1: first s0 += x0 + s1, then s1 += x1 + s0, modulo 2**32
(https://www.sqlite.org/walformat.html).  This is linear, so the words of a page are multiplied by
weights that are computed once.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LOG_HEADER_BYTES, FRAME_HEADER_BYTES = 32, 24

_MASK = 0xFFFFFFFF
# If there are more new frames than this, only the last one is verified: a frame takes 25 us.
_MOST_FRAMES = 1000

Checksum = tuple[int, int]


class LogState(NamedTuple):
    """
    The committed part of a log.

    Args:
        page_size: bytes of a page.
        frames: number of frames.
        checksum: 8 bytes, as stored in the last frame.
        salt: 8 bytes that identify the log; they change when the log is restarted.
    """

    page_size: int
    frames: int
    checksum: bytes
    salt: bytes


def is_whole(path: Path, state: LogState, known: LogState | None) -> bool:
    """
    Return whether a log contains its committed frames.

    Args:
        path: the log.
        state: the committed part.
        known: an earlier state that was verified; of its frames, only the last one is verified
            again.  None = no earlier state.

    Raises:
        OSError: if the file cannot be read.
    """
    if not state.frames:
        return True
    with path.open('rb', buffering=0) as log:
        descriptor = log.fileno()
        first = 0
        if known is not None and known.salt == state.salt and known.frames:
            # Verify the last known frame again: if another program has truncated the log within
            # that frame, the next frame that SQLite writes leaves a hole before it.
            if known.frames > state.frames or not _leads_to(descriptor, known.frames - 1, known):
                return False
            first = known.frames
        if state.frames - first > _MOST_FRAMES:
            first = state.frames - 1
        return _leads_to(descriptor, first, state)


def _leads_to(descriptor: int, first: int, state: LogState) -> bool:
    """Return whether the checksums of the frames from index ``first`` to the last are correct."""
    header = os.pread(descriptor, LOG_HEADER_BYTES, 0)
    if len(header) < LOG_HEADER_BYTES or header[16:24] != state.salt:
        return False
    words = '>u4' if header[3] & 1 else '<u4'
    frame_bytes = FRAME_HEADER_BYTES + state.page_size
    end = LOG_HEADER_BYTES + first * frame_bytes
    checksum = os.pread(descriptor, 8, end - frame_bytes + 16) if first else header[24:]
    for position in range(end, LOG_HEADER_BYTES + state.frames * frame_bytes, frame_bytes):
        frame = os.pread(descriptor, frame_bytes, position)
        if len(frame) < frame_bytes:
            return False
        checksum = _following(checksum, frame[:8], words)
        checksum = _following(checksum, frame[FRAME_HEADER_BYTES:], words)
        if frame[8:FRAME_HEADER_BYTES] != state.salt + checksum:
            return False
    return checksum == state.checksum


def _following(checksum: bytes, data: bytes, words: str) -> bytes:
    """Return a checksum continued over ``data``, whose length in bytes is a multiple of 8."""
    weights, power = _weights(len(data) // 8)
    sums = (weights * np.frombuffer(data, words).astype(np.uint32)).sum(axis=1, dtype=np.uint32)
    before = struct.unpack('>2I', checksum)
    after = (
        (row[0] * before[0] + row[1] * before[1] + int(added)) & _MASK
        for row, added in zip(power, sums, strict=True)
    )
    return struct.pack('>2I', *after)


@functools.cache
def _weights(pairs: int) -> tuple[npt.NDArray[np.uint32], tuple[Checksum, Checksum]]:
    """Return the weights of the words, uint32 ``[2, 2 * pairs]``, and of the earlier checksum."""
    weights = np.empty((2, 2 * pairs), np.uint32)
    (a, b), (c, d) = (1, 0), (0, 1)
    for pair in reversed(range(pairs)):
        # A pair changes the checksum to [[1, 1], [1, 2]] @ (s0, s1) + [[1, 0], [1, 1]] @ (x0, x1).
        weights[:, [2 * pair, 2 * pair + 1]] = ((a + b) & _MASK, b), ((c + d) & _MASK, d)
        a, b, c, d = (each & _MASK for each in (a + b, a + 2 * b, c + d, c + 2 * d))
    return weights, ((a, b), (c, d))
