# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelStore: stores each trained model on disk, as a version with a unique number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
import contextlib
import fcntl
import os
from pathlib import Path
import time

from edgetpu_retrain.errors import FilesChangedError, StoreError
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.store.files.durable_file import (
    make_folder,
    TEMPORARY_SUFFIX,
    write_durably,
)
from edgetpu_retrain.store.files.lock_wait import wait_while_locked
from edgetpu_retrain.store.files.regular_file import exists, open_regular_file, read_regular_file
from edgetpu_retrain.store.models import model_version
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_version import LARGEST_VERSION, ModelVersion

__all__ = ['ModelStore', 'ModelVersion']

LOCK_FILE = '.lock'
# File with the highest version number ever used, even if that version has been deleted.
_COUNTER = 'highest_version'
# An undamaged file has at most nine digits and a line break.
_MAX_COUNTER_BYTES = 32
# File times have a resolution of up to two seconds on old file systems, of milliseconds on others.
_CLOCK_RESOLUTION_NS = 2_000_000_000


class ModelStore:
    """
    The model versions in one folder; all methods are thread-safe.

    Args:
        folder: the models folder; it is created if it is missing.
        is_ending: called while another program has locked the folder; returns whether to stop
            waiting.
        check_folder: called before and after each change; raises FilesChangedError if the folder
            must not be used any more.

    Raises:
        StoreError: if the folder cannot be created.

    Example::

        models = ModelStore(data_folder('') / 'models')
        newest = models.latest()
    """

    def __init__(
        self,
        folder: Path,
        *,
        is_ending: Callable[[], bool] = lambda: False,
        check_folder: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = Path(folder).absolute()
        self._is_ending = is_ending
        self._check_folder = check_folder
        # The return value of files_of() for each version, from when it was found undamaged.
        self._sound: dict[int, tuple[tuple[int, ...], ...]] = {}
        with as_store_error('create the folder for models', self.folder):
            make_folder(self.folder)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """
        Lock the folder and delete incomplete files; unlock the folder after the ``with`` block.

        The kernel releases the lock when the process ends.  Incomplete files are those that a
        killed process was writing.  A folder that was removed is created again.

        Raises:
            FilesChangedError: if the folder is replaced or removed during the ``with`` block.
            BlockingIOError: if another process does not release the lock in time; see
                :func:`~edgetpu_retrain.store.files.lock_wait.wait_while_locked`.
            OSError: if the lock file cannot be created, or an incomplete file cannot be deleted.
        """
        self._check_folder()
        make_folder(self.folder)
        path = self.folder / LOCK_FILE
        lock = open_regular_file(path, os.O_WRONLY | os.O_CREAT)
        with os.fdopen(lock, 'wb') as file:
            wait_while_locked(
                lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB), self._is_ending
            )
            for leftover in self.folder.glob(f'.*{TEMPORARY_SUFFIX}'):
                leftover.unlink()
            yield
            self._check_folder()
            with contextlib.suppress(OSError):
                if os.path.samestat(path.stat(), os.fstat(lock)):
                    return
        raise FilesChangedError(
            f'{path} was removed or replaced while a model was written, so what is in that folder '
            'is not known. What to do: list the models there, then repeat the request.'
        )

    def save(self, model: bytes, record: ModelRecord) -> ModelVersion:
        """
        Store a model as a new version; it is on disk when this method returns.

        Args:
            model: bytes of the .tflite file.
            record: what the model was trained on, and its accuracy.

        Returns:
            The new version, whose number was never used before.

        Raises:
            StoreError: if the folder stays locked, the file with the highest version number is
                damaged, or the disk fails; earlier versions are unchanged.
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
        Return the number of the newest finished version; 0 if there is none.

        This method only lists the folder, so it may be called every second to detect new versions.

        Raises:
            StoreError: if the folder cannot be read.
        """
        return next(filter(self._is_finished, reversed(self._numbers())), 0)

    def files_of(self, version: int) -> tuple[tuple[int, ...], ...]:
        """
        Return the inode, size and change time of a version's files, to detect changes.

        Args:
            version: number of the version.

        Returns:
            For each existing file: inode number, size in bytes, and time of the last change of
            content or status (ctime), nanoseconds since 1970.
        """
        found = []
        for path_of in (model_version.model_path, model_version.record_path):
            with contextlib.suppress(OSError):
                status = path_of(self.folder, version).stat()
                found.append((status.st_ino, status.st_size, status.st_ctime_ns))
        return tuple(found)

    def load(self, version: int) -> ModelVersion:
        """
        Check the files of a version, and return the version.

        To save time, the model is hashed only if the files may have changed since the last check.

        Args:
            version: number of the version.

        Raises:
            StoreError: if the version is missing, unfinished or damaged.
        """
        if self._sound.get(version) != self.files_of(version):
            return self.read(version)[0]
        return self._read_record(version)

    def read(self, version: int) -> tuple[ModelVersion, bytes]:
        """
        Return a version and the bytes of its .tflite file, after checking both.

        Args:
            version: number of the version.

        Raises:
            StoreError: as :meth:`load`.
        """
        files, now = self.files_of(version), time.time_ns()
        found = self._read_record(version)
        model = found.read_model()
        # Remember that the files are undamaged, unless they are so new that another change could
        # have the same time.
        if all(changed < now - _CLOCK_RESOLUTION_NS for *_, changed in files):
            self._sound[version] = files
        return found, model

    def latest(self) -> ModelVersion | None:
        """
        Return the newest version that is finished and undamaged; None if there is none.

        Raises:
            StoreError: if the folder cannot be read.
        """
        return self.previous(LARGEST_VERSION + 1)

    def previous(self, version: int) -> ModelVersion | None:
        """
        Return the newest finished and undamaged version that is older than a given one, or None.

        Args:
            version: number of the given version, which need not exist.

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
        Return the number of each version that is unfinished or damaged, with the reason.

        Raises:
            StoreError: if the folder cannot be read.
        """
        reasons = {number: self._why_unusable(number) for number in self._numbers()}
        return {number: reason for number, reason in reasons.items() if reason}

    def prune(self, keep: int, *, in_use: Collection[int]) -> tuple[int, ...]:
        """
        Delete old versions, except the newest ``keep`` usable ones and those in use.

        A damaged or unfinished version does not count towards ``keep``.  It is deleted once
        ``keep`` usable versions are newer.

        Args:
            keep: number of versions to keep, 1 or more.
            in_use: numbers of the versions that serve, or are chosen to serve next.

        Returns:
            The numbers of the deleted versions, ascending.

        Raises:
            ValueError: if ``keep`` is less than 1.
            StoreError: if the disk fails; some versions may have been deleted.
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
        Delete files that a killed process left incomplete, as every method that writes does.

        Raises:
            StoreError: if the folder stays locked, or the disk fails.
        """
        with as_store_error('delete what was left half written in', self.folder), self.locked():
            pass

    def _numbers(self) -> tuple[int, ...]:
        """Return the numbers of all versions, including unfinished ones, ascending."""
        names: list[str] = []
        # A missing folder has no models; the next change creates it.
        with (
            as_store_error('list the models in', self.folder),
            contextlib.suppress(FileNotFoundError),
        ):
            names = [path.name for path in self.folder.iterdir()]
        return tuple(sorted({model_version.version_of_file(name) for name in names} - {0}))

    def _read_record(self, version: int) -> ModelVersion:
        try:
            return model_version.read_version(self.folder, version)
        except FileNotFoundError as error:
            raise StoreError(self._why_missing(version)) from error

    def _is_finished(self, version: int) -> bool:
        path = model_version.record_path(self.folder, version)
        with as_store_error('look for the record', path):
            return exists(path)

    def _why_missing(self, version: int) -> str:
        path = model_version.model_path(self.folder, version)
        with as_store_error('look for the model', path):
            is_there = exists(path)
        if is_there:
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
        """Return a new version number; it is not used again, even if writing the version fails."""
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
