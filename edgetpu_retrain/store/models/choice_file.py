# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
ChoiceFile: which model version was last chosen to serve, across restarts.

The choice is a small file in the folder of the models, so that a rollback survives a restart.  It
also counts the choices, for ``vision_msgs/VisionInfo``: its ``database_version`` never decreases.
A copy, written before the file itself, is read if that is damaged or missing.
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
# ``swaps`` is an int32 in a message.
_LARGEST = 2**31 - 1
# An undamaged file has fewer than a hundred bytes.
_MAX_BYTES = 4096
_FILE = 'serving.json'
_COPY = 'serving.copy.json'


@dataclass(frozen=True)
class Choice:
    """
    One choice.

    Args:
        version: number of the model version that was chosen.
        swaps: the number of choices so far, including this one.
        newest: number of the newest version at that time, or ``version``.

    Raises:
        ValueError: if the fields contradict each other.
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
    The choice for one folder of models; every method may be called from any thread.

    Args:
        models: the versions to choose from.

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
        Return the last choice, None if there never was one.

        It only reads a small file, so it may be called every second to detect another program's
        choice.

        Raises:
            StoreError: if it cannot be read, or both copies are damaged.
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

    def choose(self, version: int) -> Choice:
        """
        Record that a version serves from now on; it is on disk when this returns.

        Choosing the current choice again is not counted as a swap.

        Args:
            version: number of a version in the store.

        Raises:
            StoreError: if there is no such version, it is damaged, or the disk fails; the choice
                is then unchanged.
        """
        with self._locked():
            return self._write(version, self.current())

    def choose_instead_of(self, seen: Choice | None, version: int) -> Choice | None:
        """
        Choose a version, unless another program has chosen meanwhile.

        Args:
            seen: what :meth:`current` returned when the version was selected.
            version: number of a version in the store.

        Returns:
            None if the choice is no longer ``seen``; it is then unchanged.

        Raises:
            StoreError: as :meth:`choose`.
        """
        with self._locked():
            before = self.current()
            return self._write(version, before) if before == seen else None

    def wanted(self, seen: Choice | None) -> tuple[int, ...]:
        """
        Return the versions that should serve, newest first: new ones, then the chosen one.

        New ones were written since the choice: by a training that ended before its model could be
        chosen, or by another program.  It only lists the folder.

        Args:
            seen: what :meth:`current` returned.

        Raises:
            StoreError: if the folder cannot be read.
        """
        newest_first = tuple(reversed(self._models.versions()))
        if seen is None:
            return newest_first
        since = [number for number in newest_first if number > seen.newest]
        return (*since, *(number for number in newest_first if number == seen.version))

    def not_written_down(self, version: int) -> Choice:
        """
        Return what :meth:`choose` would record, for a model that serves although the write failed.

        Args:
            version: number of a version in the store.

        Raises:
            StoreError: if the folder cannot be read.
        """
        try:
            before = self.current()
        except StoreError:
            before = None
        return self._after(before, version)

    def _after(self, before: Choice | None, version: int) -> Choice:
        newest = max(version, self._models.newest_version())
        swaps = before.swaps if before else 0
        swaps += before is None or before.version != version
        return Choice(version, min(swaps, _LARGEST), newest)

    def versions_to_try(self) -> tuple[int, ...]:
        """
        Return all finished versions in the order in which a starting node should try them.

        First the :meth:`wanted` ones, then those before the chosen one, last those that a rollback
        skipped; each newest first.

        Raises:
            StoreError: as :meth:`current`, or if the folder cannot be read.
        """
        choice = self.current()
        wanted = self.wanted(choice)
        others = [number for number in reversed(self._models.versions()) if number not in wanted]
        if choice is None:
            return wanted
        # A stable sort: those before the chosen one first.
        return (*wanted, *sorted(others, key=lambda number: number > choice.version))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        folder = self._models.folder
        with as_store_error('write down which model serves in', folder), self._models.locked():
            yield

    def _write(self, version: int, before: Choice | None) -> Choice:
        self._models.load(version)
        chosen = self._after(before, version)
        if chosen != before:
            content = json.dumps({'format': _FORMAT, **dataclasses.asdict(chosen)})
            for name in (_COPY, _FILE):
                write_durably(self._models.folder / name, f'{content}\n'.encode())
        return chosen


def _read(path: Path) -> Choice | None:
    """Return the choice in a file, None if there is none; raise ValueError if it is damaged."""
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
