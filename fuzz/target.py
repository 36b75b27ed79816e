# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a target is, and what it may do with any bytes: succeed, or refuse in words, at a price."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
import shutil
import tempfile
import tracemalloc

from edgetpu_retrain.errors import RetrainError

MIB = 2**20
# More is no sentence, and floods a log.
MAX_MESSAGE = 2500

# Where it is there, files in it never reach a disk.
_MEMORY_FOLDER = Path('/dev/shm')  # noqa: S108 - files there get names of tempfile's making

Mutate = Callable[[bytes, int, int, Callable[[bytes, int], bytes]], bytes]
"""
Bytes, how many there may be, a seed and libFuzzer's own mutation (of bytes, to at most so many)
to other bytes; for formats with checksums or compression, which plain mutations never get past.
"""


class BrokenPromiseError(AssertionError):
    """A target did what no input may make it do, without an exception of its own."""


@dataclass(frozen=True)
class MemoryBudget:
    """
    What an input of n bytes may cost at most: ``constant + per_byte * n`` bytes of memory.

    Python's own objects and numpy's arrays count (tracemalloc), at their peak.
    """

    constant: int = 8 * MIB
    per_byte: int = 64

    def of(self, size: int) -> int:
        """Return the bytes that an input of so many bytes may cost."""
        return self.constant + self.per_byte * size


@dataclass(frozen=True)
class Target:
    """
    One way for bytes from outside to come in.

    Args:
        run: takes the bytes, and an empty folder to write them to where a file is read; it
            returns, or raises a :class:`~edgetpu_retrain.errors.RetrainError`.  Whatever it
            leaves in the folder is removed.
        seeds: makes inputs to begin with, from the project's own writers: the good ones that
            mutations start from.
        max_bytes: length of the longest input that is tried.
        memory: what an input may cost.
        mutate: how inputs are changed, None for plain bytes.
        permitted: exceptions that are an answer.
    """

    run: Callable[[bytes, Path], object]
    seeds: Callable[[], Iterable[bytes]]
    max_bytes: int = 16_384
    memory: MemoryBudget = MemoryBudget()
    mutate: Mutate | None = None
    permitted: tuple[type[Exception], ...] = (RetrainError,)


def check(target: Target, data: bytes, folder: Path) -> str:
    """
    Give bytes to a target.

    Args:
        target: the target.
        data: the bytes.
        folder: an empty folder; it is empty again afterwards.

    Returns:
        The message of what it raised, '' when it succeeded.

    Raises:
        BrokenPromiseError: when it refuses without one line of words.
        BaseException: whatever else it raised.
    """
    try:
        target.run(data, folder)
    except target.permitted as error:
        check_message(error)
        return f'{type(error).__name__}: {error}'
    finally:
        _clear(folder)
    return ''


def check_message(error: Exception) -> None:
    """
    Look at the words of a refusal.

    Raises:
        BrokenPromiseError: when they are not one printable line of bearable length.
    """
    message, name = str(error), type(error).__name__
    if not message.strip():
        raise BrokenPromiseError(f'{name} without a message') from error
    if not message.isprintable():
        raise BrokenPromiseError(
            f'the message of {name} is no printable line: {message!a:.500}'
        ) from error
    if len(message) > MAX_MESSAGE:
        raise BrokenPromiseError(
            f'the message of {name} has {len(message)} characters: {message:.500}'
        ) from error


def each_of(*calls: Callable[[], object]) -> None:
    """
    Do several things with one input, whatever becomes of the others.

    Raises:
        RetrainError: the first one of those that were raised.
    """
    refusals = [refusal for refusal in map(_refusal, calls) if refusal is not None]
    if refusals:
        raise refusals[0]


def _refusal(call: Callable[[], object]) -> RetrainError | None:
    try:
        call()
    except RetrainError as error:
        check_message(error)
        return error
    return None


def check_memory(target: Target, data: bytes, folder: Path) -> int:
    """
    Give bytes to a target as :func:`check` does, and see what they cost.

    Returns:
        The peak of the memory, bytes.

    Raises:
        BrokenPromiseError: when it is above the target's budget, or as :func:`check` does.
    """
    tracemalloc.start()
    try:
        check(target, data, folder)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if peak > target.memory.of(len(data)):
        raise BrokenPromiseError(
            f'{len(data)} bytes cost {peak} bytes of memory; the budget is '
            f'{target.memory.of(len(data))}'
        )
    return peak


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make an empty folder for a while, in memory where that is possible."""
    where = _MEMORY_FOLDER if _MEMORY_FOLDER.is_dir() else None
    with tempfile.TemporaryDirectory(prefix='edgetpu_retrain_fuzz_', dir=where) as folder:
        yield Path(folder)


def _clear(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
