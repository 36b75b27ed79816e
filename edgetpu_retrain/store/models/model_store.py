# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelStore: every training's result as a version of its own, on disk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
import contextlib
import fcntl
from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.store.files.durable_file import (
    make_folder,
    TEMPORARY_SUFFIX,
    write_durably,
)
from edgetpu_retrain.store.files.lock_wait import wait_while_locked
from edgetpu_retrain.store.files.regular_file import read_regular_file
from edgetpu_retrain.store.models import model_version
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_version import LARGEST_VERSION, ModelVersion

__all__ = ['ModelStore', 'ModelVersion']

LOCK_FILE = '.lock'
# The highest version number ever used; the files of that version may be deleted.
_COUNTER = 'highest_version'
# Nine digits and a line break; a longer file is damaged.
_MAX_COUNTER_BYTES = 32


class ModelStore:
    """
    The model versions in one folder; every method may be called from any thread.

    Args:
        folder: of the models, created if there is none.
        is_ending: called while another program writes there: whether to stop waiting.

    Raises:
        StoreError: if the folder cannot be created.

    Example::

        models = ModelStore(data_folder('') / 'models')
        newest = models.latest()
    """

    def __init__(self, folder: Path, *, is_ending: Callable[[], bool] = lambda: False) -> None:
        self.folder = Path(folder).absolute()
        self._is_ending = is_ending
        with as_store_error('create the folder for models', self.folder):
            make_folder(self.folder)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """
        Hold the folder's lock, and delete what a killed process left half written.

        The kernel releases the lock when the process ends.

        Raises:
            BlockingIOError: if another process holds it for too long, see
                :func:`~edgetpu_retrain.store.files.lock_wait.wait_while_locked`.
            OSError: if the lock file cannot be created.
        """
        with (self.folder / LOCK_FILE).open('ab') as file:
            wait_while_locked(
                lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB), self._is_ending
            )
            for leftover in self.folder.glob(f'.*{TEMPORARY_SUFFIX}'):
                leftover.unlink()
            yield

    def save(self, model: bytes, record: ModelRecord) -> ModelVersion:
        """
        Write a model as a new version; it is on disk when this returns.

        Args:
            model: bytes of the .tflite file.
            record: what it was trained on.

        Returns:
            The new version; its number was never used before.

        Raises:
            StoreError: if the disk fails; earlier versions are unchanged.
        """
        with as_store_error('write a model to', self.folder), self.locked():
            return model_version.write_version(self.folder, self._claim_version(), model, record)

    def versions(self) -> tuple[int, ...]:
        """
        Return the numbers of all finished versions, ascending.

        Raises:
            StoreError: if the folder cannot be read.
        """
        return tuple(number for number in self._numbers() if self._is_finished(number))

    def newest_version(self) -> int:
        """
        Return the number of the newest finished version, 0 if there is none.

        It only lists the folder, so it may be called every second to detect another program's
        training.

        Raises:
            StoreError: if the folder cannot be read.
        """
        return next(filter(self._is_finished, reversed(self._numbers())), 0)

    def files_of(self, version: int) -> tuple[tuple[int, int], ...]:
        """
        Return size and modification time of a version's files, to detect changes.

        Args:
            version: its number; missing files are left out.
        """
        found = []
        for path_of in (model_version.model_path, model_version.record_path):
            with contextlib.suppress(OSError):
                status = path_of(self.folder, version).stat()
                found.append((status.st_size, status.st_mtime_ns))
        return tuple(found)

    def load(self, version: int) -> ModelVersion:
        """
        Return a version after checking its files.

        Args:
            version: its number.

        Raises:
            StoreError: if there is no such version, or it is unfinished or damaged.
        """
        try:
            found = model_version.read_version(self.folder, version)
        except FileNotFoundError as error:
            raise StoreError(self._why_missing(version)) from error
        found.read_model()
        return found

    def latest(self) -> ModelVersion | None:
        """
        Return the newest version that is finished and undamaged, None if there is none.

        :meth:`unusable` returns why newer ones were skipped.

        Raises:
            StoreError: if the folder cannot be read.
        """
        return self.previous(LARGEST_VERSION + 1)

    def previous(self, version: int) -> ModelVersion | None:
        """
        Return the newest undamaged version before another, None if there is none.

        Args:
            version: the number of the other one, which may be deleted.

        Raises:
            StoreError: if the folder cannot be read.
        """
        for number in reversed(self._numbers()):
            if number < version:
                with contextlib.suppress(StoreError):
                    return self.load(number)
        return None

    def unusable(self) -> dict[int, str]:
        """
        Return the versions that cannot be loaded, and the reason of each.

        Raises:
            StoreError: if the folder cannot be read.
        """
        reasons = {number: self._why_unusable(number) for number in self._numbers()}
        return {number: reason for number, reason in reasons.items() if reason}

    def prune(self, keep: int, *, in_use: Collection[int]) -> tuple[int, ...]:
        """
        Delete old versions, so that the newest ``keep`` undamaged ones are left.

        Versions in use and the newest one are never deleted.  A damaged or unfinished version
        does not count as kept, and is deleted once it is older than all kept ones.

        Args:
            keep: the number of versions to keep, 1 or more.
            in_use: numbers of the versions that serve, or will.

        Returns:
            The numbers of the deleted versions, ascending.

        Raises:
            ValueError: if ``keep`` is less than 1.
            StoreError: if the disk fails; the remaining versions are complete.
        """
        if keep < 1:
            raise ValueError(f'keep is {keep}; it must be 1 or more')
        with as_store_error('delete old models from', self.folder), self.locked():
            kept, old = 0, []
            for number in reversed(self._numbers()):
                if kept < keep:
                    kept += not self._why_unusable(number)
                elif number not in in_use:
                    old.append(number)
            model_version.delete_versions(self.folder, old)
        return tuple(reversed(old))

    def clear_leftovers(self) -> None:
        """
        Delete what a killed process left half written; every method that writes does so, too.

        Raises:
            StoreError: if the disk fails.
        """
        with as_store_error('delete what was left half written in', self.folder), self.locked():
            pass

    def _numbers(self) -> tuple[int, ...]:
        """Return the numbers of all versions, also unfinished ones, ascending."""
        with as_store_error('list the models in', self.folder):
            names = [path.name for path in self.folder.iterdir()]
        return tuple(sorted({model_version.version_of_file(name) for name in names} - {0}))

    def _is_finished(self, version: int) -> bool:
        return model_version.record_path(self.folder, version).exists()

    def _why_missing(self, version: int) -> str:
        if model_version.model_path(self.folder, version).exists():
            return (
                f'Model version {version} in {self.folder} has no record: its writing was cut '
                'short. What to do: use another version; its file can be deleted.'
            )
        known = ', '.join(map(str, self.versions())) or 'none'
        return f'There is no model version {version} in {self.folder}; there are: {known}.'

    def _why_unusable(self, version: int) -> str:
        try:
            self.load(version)
        except StoreError as error:
            return str(error)
        return ''

    def _claim_version(self) -> int:
        """Return the next version number, which is used up even if writing the version fails."""
        path = self.folder / _COUNTER
        try:
            counter = int(read_regular_file(path, at_most=_MAX_COUNTER_BYTES))
        except FileNotFoundError:
            counter = 0
        except ValueError:
            counter = -1
        if not 0 <= counter < LARGEST_VERSION:
            raise StoreError(
                f'{path} does not hold a number that a version can have: it is damaged. '
                'What to do: '
                'write the highest model version ever used there into it.'
            )
        version = max((counter, *self._numbers())) + 1
        write_durably(path, f'{version}\n'.encode())
        return version
