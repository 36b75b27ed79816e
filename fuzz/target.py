# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A fuzzing target, which must accept or reject any bytes within a memory budget."""

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
# Longer messages would flood a log.
MAX_MESSAGE = 2500

# A folder in memory, if it exists.
_MEMORY_FOLDER = Path('/dev/shm')  # noqa: S108 - tempfile chooses the names of files there

Mutate = Callable[[bytes, int, int, Callable[[bytes, int], bytes]], bytes]
"""
From bytes, their maximum number, a seed and libFuzzer's own mutation (of bytes, to a maximum
number) to mutated bytes; for formats with checksums or compression, which plain mutations break.
"""


class BrokenPromiseError(AssertionError):
    """A target broke a rule without raising an unexpected exception."""


@dataclass(frozen=True)
class MemoryBudget:
    """
    The maximum memory for an input of n bytes: ``constant + per_byte * n`` bytes.

    It is compared with the peak of Python's objects and numpy's arrays (tracemalloc).
    """

    constant: int = 8 * MIB
    per_byte: int = 64

    def of(self, size: int) -> int:
        """Return the maximum memory for an input of ``size`` bytes."""
        return self.constant + self.per_byte * size


@dataclass(frozen=True)
class Target:
    """
    A parser of untrusted bytes.

    Args:
        run: parses bytes, with an empty folder for files; it returns, or raises a
            :class:`~edgetpu_retrain.errors.RetrainError`.  Files in the folder are removed.
        seeds: generates valid inputs with the project's own writers, which fuzzing begins with.
        max_bytes: maximum length of an input.
        memory: maximum memory for an input.
        mutate: mutates an input, None for plain bytes.
        permitted: exceptions that reject an input.
    """

    run: Callable[[bytes, Path], object]
    seeds: Callable[[], Iterable[bytes]]
    max_bytes: int = 16_384
    memory: MemoryBudget = MemoryBudget()
    mutate: Mutate | None = None
    permitted: tuple[type[Exception], ...] = (RetrainError,)


def check(target: Target, data: bytes, folder: Path) -> str:
    """
    Run a target on an input.

    Args:
        target: the target.
        data: the input.
        folder: an empty folder; it is empty again afterwards.

    Returns:
        Type and message of the exception that rejects the input, '' if the target accepts it.

    Raises:
        BrokenPromiseError: the message is not one printable line.
        BaseException: any other exception of the target.
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
    Check the message of an exception that rejects an input.

    Raises:
        BrokenPromiseError: it is not one printable line of limited length.
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
    Make all calls, even if some raise.

    Raises:
        RetrainError: the first one that was raised.
    """
    errors = [error for error in map(_rejection, calls) if error is not None]
    if errors:
        raise errors[0]


def _rejection(call: Callable[[], object]) -> RetrainError | None:
    try:
        call()
    except RetrainError as error:
        check_message(error)
        return error
    return None


def check_memory(target: Target, data: bytes, folder: Path) -> int:
    """
    Run a target on an input like :func:`check`, and measure its memory.

    Returns:
        The peak memory, bytes.

    Raises:
        BrokenPromiseError: it exceeds the target's budget, or :func:`check` raises it.
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
    """Create a temporary folder, in memory if possible."""
    where = _MEMORY_FOLDER if _MEMORY_FOLDER.is_dir() else None
    with tempfile.TemporaryDirectory(prefix='edgetpu_retrain_fuzz_', dir=where) as folder:
        yield Path(folder)


def _clear(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
