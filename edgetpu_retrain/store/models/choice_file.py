# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
ChoiceFile: records on disk which model version was last chosen to serve.

A rollback thus survives a restart.  The file also counts the swaps; the node publishes the count
as ``database_version`` of ``vision_msgs/VisionInfo``.  Each choice is first written to a copy.
The copy is read if the file is damaged or missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import dataclasses
from dataclasses import dataclass
import json
from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.store.files.durable_file import write_durably
from edgetpu_retrain.store.files.regular_file import read_regular_file
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.models.model_version import LARGEST_VERSION

_FORMAT = 1
# ``swaps`` is published as an int32.
_LARGEST = 2**31 - 1
# An undamaged file has fewer than a hundred bytes.
_MAX_BYTES = 4096
_FILE = 'serving.json'
_COPY = 'serving.copy.json'


@dataclass(frozen=True)
class Choice:
    """
    A choice of the version to serve.

    Args:
        version: number of the chosen version.
        swaps: number of swaps so far, including the one to this version.
        newest: number of the newest version that was known when the choice was made; versions with
            greater numbers are new.

    Raises:
        ValueError: if a field is out of range, or contradicts another one.
    """

    version: int
    swaps: int
    newest: int

    def __post_init__(self) -> None:
        if not (
            1 <= self.version <= self.newest <= LARGEST_VERSION and 1 <= self.swaps <= _LARGEST
        ):
            raise ValueError(
                f'version is {self.version}, newest {self.newest} and swaps {self.swaps}; '
                f'version must be from 1 to newest, newest at most {LARGEST_VERSION} and swaps '
                f'from 1 to {_LARGEST}'
            )


class ChoiceFile:
    """
    The recorded choice of one models folder; all methods are thread-safe.

    Args:
        models: the store of the model versions in the folder.

    Example::

        choice = ChoiceFile(models)
        for version in choice.versions_to_try():    # at start
            ...
        serving = choice.choose(version)            # at each swap, once the model is loaded
        info.database_version = serving.swaps
    """

    def __init__(self, models: ModelStore) -> None:
        self._models = models

    def current(self) -> Choice | None:
        """
        Return the last choice; None if there is none.

        This method only reads a small file, so it may be called every second to detect choices by
        other programs.

        Raises:
            StoreError: if the files cannot be read, or all that exist are damaged.
        """
        folder = self._models.folder
        with as_store_error('read which model serves in', folder):
            try:
                return _read(folder / _FILE) or _read(folder / _COPY)
            except ValueError as error:
                damage = error
            with suppress(ValueError):
                if copy := _read(folder / _COPY):
                    return copy
        raise StoreError(
            f'{folder / _FILE} is damaged: {damage}. What to do: restore a backup, or delete it '
            f'and {_COPY} beside it; then the newest model serves, and swaps are counted from 1 '
            'again.'
        ) from damage

    def choose(self, version: int, *, known: int | None = None) -> Choice:
        """
        Record the choice of a version; it is on disk when this method returns.

        Choosing the current version again does not count as a swap.

        Args:
            version: number of a version in the store.
            known: number of the newest version that the caller knew when it chose; a version that
                another program has stored since then counts as new.  None = the newest one now.

        Returns:
            The new choice.

        Raises:
            StoreError: if there is no such version, it is damaged, or the disk fails.
        """
        with self._locked():
            return self._write(version, self.current(), known)

    def choose_instead_of(
        self, seen: Choice | None, version: int, *, known: int | None = None
    ) -> Choice | None:
        """
        Record the choice of a version, unless the recorded choice has changed.

        Args:
            seen: the return value of :meth:`current` on which the choice is based.
            version: number of a version in the store.
            known: as for :meth:`choose`.

        Returns:
            The new choice; None, without any change, if the recorded choice is no longer ``seen``.

        Raises:
            StoreError: as :meth:`choose`.
        """
        with self._locked():
            before = self.current()
            return self._write(version, before, known) if before == seen else None

    def wanted(self, seen: Choice | None) -> tuple[int, ...]:
        """
        Return the versions that should serve: new versions, newest first, then the chosen one.

        New versions are those stored after the choice: by another program, or by a node that ended
        before it recorded its choice.  Without a choice, all versions are new.

        Args:
            seen: the return value of :meth:`current`.

        Returns:
            Numbers of finished versions, in the order in which to try them.

        Raises:
            StoreError: if the folder cannot be read.
        """
        newest_first = tuple(reversed(self._models.versions()))
        if seen is None:
            return newest_first
        since = [number for number in newest_first if number > seen.newest]
        return (*since, *(number for number in newest_first if number == seen.version))

    def not_written_down(self, version: int, *, known: int | None = None) -> Choice:
        """
        Return the choice that :meth:`choose` would record, for use after recording has failed.

        Args:
            version: number of a version in the store.
            known: as for :meth:`choose`.

        Raises:
            StoreError: if ``known`` is None, and the folder cannot be read.
        """
        try:
            before = self.current()
        except StoreError:
            before = None
        return self._after(before, version, known)

    def _after(self, before: Choice | None, version: int, known: int | None) -> Choice:
        known = self._models.newest_version() if known is None else known
        newest = max(version, known, before.newest if before else 0)
        swaps = before.swaps if before else 0
        swaps += before is None or before.version != version
        return Choice(version, min(swaps, _LARGEST), newest)

    def versions_to_try(self) -> tuple[int, ...]:
        """
        Return the numbers of all finished versions, in the order in which a node should try them.

        First come those of :meth:`wanted`, then those older than the chosen one, then those that
        were rolled back.  Each group begins with its newest version.

        Raises:
            StoreError: as :meth:`current`, or if the folder cannot be read.
        """
        choice = self.current()
        wanted = self.wanted(choice)
        others = [number for number in reversed(self._models.versions()) if number not in wanted]
        if choice is None:
            return wanted
        # The sort is stable, so that each group stays newest first.
        return (*wanted, *sorted(others, key=lambda number: number > choice.version))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        folder = self._models.folder
        with as_store_error('write down which model serves in', folder), self._models.locked():
            yield

    def _write(self, version: int, before: Choice | None, known: int | None) -> Choice:
        self._models.load(version)
        chosen = self._after(before, version, known)
        if chosen != before:
            content = json.dumps({'format': _FORMAT, **dataclasses.asdict(chosen)})
            for name in (_COPY, _FILE):
                write_durably(self._models.folder / name, f'{content}\n'.encode())
        return chosen


def _read(path: Path) -> Choice | None:
    """Return the choice in a file, or None without a file; raise ValueError if it is damaged."""
    try:
        content = json.loads(read_regular_file(path, at_most=_MAX_BYTES))
    except FileNotFoundError:
        return None
    except RecursionError as error:
        raise ValueError('it is nested too deep') from error
    if not isinstance(content, dict) or content.pop('format', None) != _FORMAT:
        raise ValueError(f'it is not of format {_FORMAT}')
    names = {each.name for each in dataclasses.fields(Choice)}
    if set(content) != names or any(type(value) is not int for value in content.values()):
        raise ValueError(f'it does not hold a whole number each for {", ".join(sorted(names))}')
    return Choice(**content)
