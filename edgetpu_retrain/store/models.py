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

from collections.abc import Iterator
import contextlib
from dataclasses import dataclass
import fcntl
import hashlib
import json
from pathlib import Path
import re

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.durable_file import (
    make_folder,
    sync_folder,
    TEMPORARY_SUFFIX,
    write_durably,
)
from edgetpu_retrain.store.failure import store_error
from edgetpu_retrain.store.model_record import ModelRecord

RECORD_FORMAT = 1

_FILE_NAME = re.compile(r'model_(\d{6,})\.(?:tflite|json)')
# Holds the highest version ever given, because the files of that version may be deleted.
_COUNTER = 'highest_version'
_LOCK = '.lock'


@dataclass(frozen=True)
class ModelVersion:
    """
    One finished version.

    Args:
        version: its number, from 1.
        path: its .tflite file.
        record: where it came from.
        sha256: of the file, 64 hexadecimal digits.
    """

    version: int
    path: Path
    record: ModelRecord
    sha256: str

    def read_model(self) -> bytes:
        """
        Return the bytes of the .tflite file.

        Raises:
            StoreError: when they cannot be read or are not the ones that were written.
        """
        try:
            model = self.path.read_bytes()
        except OSError as error:
            raise store_error('read the model', self.path, error) from error
        if hashlib.sha256(model).hexdigest() != self.sha256:
            raise StoreError(
                f'{self.path} ({len(model)} bytes) is not the file that was written: it is '
                'incomplete or was changed. What to do: restore a backup, or train again.'
            )
        return model


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
            with self._locked():
                version = self._claim_version()
                content = {
                    'format': RECORD_FORMAT,
                    'version': version,
                    'size': len(model),
                    'sha256': sha256,
                    'record': record.to_json(),
                }
                text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
                try:
                    write_durably(self._model_path(version), model)
                    write_durably(self._record_path(version), f'{text}\n'.encode())
                except OSError:
                    self._discard(version)
                    raise
        except OSError as error:
            raise store_error('write a model to', self.folder, error) from error
        return ModelVersion(version, self._model_path(version), record, sha256)

    def versions(self) -> tuple[int, ...]:
        """
        Return the numbers of all versions whose writing was finished, ascending.

        Raises:
            StoreError: when the folder cannot be read.
        """
        return tuple(number for number in self._numbers() if self._record_path(number).exists())

    def load(self, version: int) -> ModelVersion:
        """
        Return one version, its files checked.

        Args:
            version: its number.

        Raises:
            StoreError: when there is no such version, or it is unfinished or damaged.
        """
        path = self._record_path(version)
        try:
            content = json.loads(path.read_bytes())
            if content['format'] != RECORD_FORMAT:
                raise ValueError(f'format is {content["format"]}; only {RECORD_FORMAT} is known')
            if content['version'] != version:
                raise ValueError(f'version is {content["version"]}')
            record = ModelRecord.from_json(content['record'])
            found = ModelVersion(
                version, self._model_path(version), record, str(content['sha256'])
            )
        except FileNotFoundError as error:
            raise StoreError(self._why_missing(version)) from error
        except OSError as error:
            raise store_error('read the record', path, error) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
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
        for version in reversed(self._numbers()):
            with contextlib.suppress(StoreError):
                return self.load(version)
        return None

    def unusable(self) -> dict[int, str]:
        """
        Return the versions that cannot be loaded, with a sentence each that says why.

        Raises:
            StoreError: when the folder cannot be read.
        """
        reasons = {number: self._why_unusable(number) for number in self._numbers()}
        return {number: reason for number, reason in reasons.items() if reason}

    def _numbers(self) -> tuple[int, ...]:
        """Return the numbers of all versions that have any file, finished or not, ascending."""
        try:
            names = [path.name for path in self.folder.iterdir()]
        except OSError as error:
            raise store_error('list the models in', self.folder, error) from error
        matches = (_FILE_NAME.fullmatch(name) for name in names)
        return tuple(sorted({int(match[1]) for match in matches if match}))

    def _model_path(self, version: int) -> Path:
        return self.folder / f'model_{version:06d}.tflite'

    def _record_path(self, version: int) -> Path:
        return self.folder / f'model_{version:06d}.json'

    def _why_missing(self, version: int) -> str:
        if self._model_path(version).exists():
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

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other threads and processes from writing versions at the same time."""
        with (self.folder / _LOCK).open('ab') as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Nobody else is writing now, so these were left by a process that was killed.
            for leftover in self.folder.glob(f'.*{TEMPORARY_SUFFIX}'):
                leftover.unlink()
            yield

    def _claim_version(self) -> int:
        """Return the next version number, taken for good even if its writing fails."""
        path = self.folder / _COUNTER
        try:
            counter = int(path.read_bytes())
        except FileNotFoundError:
            counter = 0
        except ValueError as error:
            raise StoreError(
                f'{path} does not hold a number: the file is damaged. What to do: write the '
                'highest model version ever used there into it.'
            ) from error
        version = max((counter, *self._numbers())) + 1
        write_durably(path, f'{version}\n'.encode())
        return version

    def _discard(self, version: int) -> None:
        with contextlib.suppress(OSError):
            self._record_path(version).unlink(missing_ok=True)
            self._model_path(version).unlink(missing_ok=True)
            sync_folder(self.folder)
