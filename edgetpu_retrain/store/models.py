# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""
ModelStore: every training's result as a version of its own, on disk.

A version is two files: ``model_000012.tflite``, which works alone anywhere, and
``model_000012.json``, which tells where it came from and the size and SHA-256 that the first
must have.  The record is written last, so a version without one was never finished.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
import contextlib
import hashlib
import json
from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.durable_file import make_folder, sync_folder, write_durably
from edgetpu_retrain.store.failure import store_error
from edgetpu_retrain.store.folder_lock import locked_folder
from edgetpu_retrain.store.model_record import ModelRecord
from edgetpu_retrain.store.model_version import (
    LARGEST_VERSION,
    model_path,
    ModelVersion,
    record_path,
    version_of_file,
)

__all__ = ['ModelStore', 'ModelVersion', 'RECORD_FORMAT']

RECORD_FORMAT = 1

# Holds the highest version ever given, because the files of that version may be deleted.
_COUNTER = 'highest_version'
# Nine digits and a line break; more is no number of a version.
_MAX_COUNTER_BYTES = 32


class ModelStore:
    """
    The model versions in one folder; every method may be called from any thread.

    Args:
        folder: where they lie, created when it is not there.

    Raises:
        StoreError: when the folder cannot be created.

    Example::

        models = ModelStore(data_folder('') / 'models')
        newest = models.latest()
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder).absolute()
        try:
            make_folder(self.folder)
        except OSError as error:
            raise store_error('create the folder for models', self.folder, error) from error

    def save(self, model: bytes, record: ModelRecord) -> ModelVersion:
        """
        Write a model as a new version; all of it is on the disk when this returns.

        Args:
            model: bytes of the .tflite file.
            record: where it came from.

        Returns:
            The new version; its number was never used before.

        Raises:
            StoreError: when the disk refuses; the versions before are as they were.
        """
        sha256 = hashlib.sha256(model).hexdigest()
        try:
            with locked_folder(self.folder):
                version = self._claim_version()
                content = {
                    'format': RECORD_FORMAT,
                    'version': version,
                    'size': len(model),
                    'sha256': sha256,
                    'record': record.to_json(),
                }
                text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
                described = f'{text}\n'.encode()
                try:
                    write_durably(model_path(self.folder, version), model)
                    write_durably(record_path(self.folder, version), described)
                except OSError:
                    with contextlib.suppress(OSError):
                        self._delete([version])
                    raise
        except OSError as error:
            raise store_error('write a model to', self.folder, error) from error
        return ModelVersion(version, model_path(self.folder, version), record, sha256)

    def versions(self) -> tuple[int, ...]:
        """
        Return the numbers of all versions whose writing was finished, ascending.

        Raises:
            StoreError: when the folder cannot be read.
        """
        return tuple(number for number in self._numbers() if self._is_finished(number))

    def newest_version(self) -> int:
        """
        Return the number of the newest finished version, 0 when there is none.

        It only lists the folder, so it may be asked every second whether another program has
        trained.

        Raises:
            StoreError: when the folder cannot be read.
        """
        return next(filter(self._is_finished, reversed(self._numbers())), 0)

    def files_of(self, version: int) -> tuple[tuple[int, int], ...]:
        """
        Return size and time of a version's files; they change when the files do.

        Args:
            version: its number; a file that is not there counts as none.
        """
        found = []
        for path in (model_path(self.folder, version), record_path(self.folder, version)):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_size, status.st_mtime_ns))
        return tuple(found)

    def load(self, version: int) -> ModelVersion:
        """
        Return one version, its files checked.

        Args:
            version: its number.

        Raises:
            StoreError: when there is no such version, or it is unfinished or damaged.
        """
        path = record_path(self.folder, version)
        try:
            content = json.loads(path.read_bytes())
            if content['format'] != RECORD_FORMAT:
                raise ValueError(f'format is {content["format"]}; only {RECORD_FORMAT} is known')
            if content['version'] != version:
                raise ValueError(f'version is {content["version"]}')
            record = ModelRecord.from_json(content['record'])
            found = ModelVersion(
                version, model_path(self.folder, version), record, str(content['sha256'])
            )
        except FileNotFoundError as error:
            raise StoreError(self._why_missing(version)) from error
        except OSError as error:
            raise store_error('read the record', path, error) from error
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            OverflowError,
            RecursionError,
        ) as error:
            raise StoreError(
                f'The record {path} is damaged ({type(error).__name__}: {error}). What to do: '
                'restore a backup, or train again.'
            ) from error
        found.read_model()
        return found

    def latest(self) -> ModelVersion | None:
        """
        Return the newest version that is finished and undamaged, None when there is none.

        :meth:`unusable` tells which newer ones were passed over and why.

        Raises:
            StoreError: when the folder cannot be read.
        """
        return self._newest_of(self._numbers())

    def previous(self, version: int) -> ModelVersion | None:
        """
        Return the newest undamaged version before another, None when there is none.

        Args:
            version: the other one's number; it need not be there any more.

        Raises:
            StoreError: when the folder cannot be read.
        """
        return self._newest_of(number for number in self._numbers() if number < version)

    def unusable(self) -> dict[int, str]:
        """
        Return the versions that cannot be loaded, with a sentence each that says why.

        Raises:
            StoreError: when the folder cannot be read.
        """
        reasons = {number: self._why_unusable(number) for number in self._numbers()}
        return {number: reason for number, reason in reasons.items() if reason}

    def prune(self, keep: int, *, in_use: Collection[int]) -> tuple[int, ...]:
        """
        Delete old versions, so that the newest ``keep`` undamaged ones are left.

        What is in use is never deleted, nor is the newest.  A damaged or unfinished version
        does not count as kept; it is deleted once it is older than all that are.

        Args:
            keep: how many to keep, 1 or more.
            in_use: numbers of the versions that serve, or are to.

        Returns:
            The numbers of the deleted versions, ascending.

        Raises:
            ValueError: when ``keep`` is less than 1.
            StoreError: when the disk refuses; what is left is whole.
        """
        if keep < 1:
            raise ValueError(f'keep is {keep}; it must be 1 or more')
        try:
            with locked_folder(self.folder):
                kept, old = 0, []
                for number in reversed(self._numbers()):
                    if kept < keep:
                        kept += not self._why_unusable(number)
                    elif number not in in_use:
                        old.append(number)
                self._delete(old)
        except OSError as error:
            raise store_error('delete old models from', self.folder, error) from error
        return tuple(reversed(old))

    def clear_leftovers(self) -> None:
        """
        Delete what a process that was killed left half written; every writing does so, too.

        Raises:
            StoreError: when the disk refuses.
        """
        try:
            with locked_folder(self.folder):
                pass
        except OSError as error:
            raise store_error(
                'delete what was left half written in', self.folder, error
            ) from error

    def _numbers(self) -> tuple[int, ...]:
        """Return the numbers of all versions that have any file, finished or not, ascending."""
        try:
            names = [path.name for path in self.folder.iterdir()]
        except OSError as error:
            raise store_error('list the models in', self.folder, error) from error
        return tuple(sorted({version_of_file(name) for name in names} - {0}))

    def _is_finished(self, version: int) -> bool:
        return record_path(self.folder, version).exists()

    def _newest_of(self, ascending: Iterable[int]) -> ModelVersion | None:
        for version in reversed(tuple(ascending)):
            with contextlib.suppress(StoreError):
                return self.load(version)
        return None

    def _why_missing(self, version: int) -> str:
        if model_path(self.folder, version).exists():
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
        """Return the next version number, taken for good even if its writing fails."""
        path = self.folder / _COUNTER
        try:
            with path.open('rb') as file:
                text = file.read(_MAX_COUNTER_BYTES + 1)
            counter = int(text) if len(text) <= _MAX_COUNTER_BYTES else -1
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

    def _delete(self, versions: Sequence[int]) -> None:
        for version in versions:
            # The record first: whatever is left when this is cut short is an unfinished version.
            record_path(self.folder, version).unlink(missing_ok=True)
            model_path(self.folder, version).unlink(missing_ok=True)
        if versions:
            sync_folder(self.folder)
