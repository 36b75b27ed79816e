# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
ModelVersion: a trained model, stored as two files.

``model_000012.tflite`` is the model, and can be used alone.  ``model_000012.json`` is its record:
what the model was trained on, and the model's size and SHA-256.  The record is written last and
deleted first, so a version without a record is unfinished.
"""

from __future__ import annotations

from collections.abc import Sequence
import contextlib
from dataclasses import dataclass
import hashlib
import json
from pathlib import Path
import re

from edgetpu_retrain.errors import UnusableModelError
from edgetpu_retrain.store.files.disk_errors import as_store_error, store_error
from edgetpu_retrain.store.files.durable_file import sync_folder, write_durably
from edgetpu_retrain.store.files.regular_file import read_regular_file
from edgetpu_retrain.store.models.model_record import ModelRecord

LARGEST_VERSION = 999_999_999
"""Largest version number: nine digits, which fit into the int32 fields of messages."""

RECORD_FORMAT = 1

# Exceptions that reading a damaged record may raise.
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
_FILE_NAME = re.compile(r'model_(\d{6,9})\.(?:tflite|json)', re.ASCII)


@dataclass(frozen=True)
class ModelVersion:
    """
    A finished version in the models folder.

    Args:
        version: number of the version, from 1.
        path: path of the .tflite file.
        record: what the model was trained on, and its accuracy.
        sha256: recorded SHA-256 of the .tflite file, 64 hexadecimal digits.
    """

    version: int
    path: Path
    record: ModelRecord
    sha256: str

    def read_model(self) -> bytes:
        """
        Return the bytes of the .tflite file.

        Raises:
            UnusableModelError: if the file's SHA-256 differs from the recorded one.
            StoreError: if the file cannot be read.
        """
        with as_store_error('read the model', self.path):
            model = read_regular_file(self.path)
        if hashlib.sha256(model).hexdigest() != self.sha256:
            raise UnusableModelError(
                f'{self.path} ({len(model)} bytes) is not the file that was written: it is '
                'incomplete or was changed. What to do: restore a backup, or train again.'
            )
        return model


def model_path(folder: Path, version: int) -> Path:
    """Return the path of a version's .tflite file, whether or not it exists."""
    return folder / f'model_{version:06d}.tflite'


def record_path(folder: Path, version: int) -> Path:
    """Return the path of a version's record, whether or not it exists."""
    return folder / f'model_{version:06d}.json'


def version_of_file(name: str) -> int:
    """Return the number of the version that a file name belongs to; 0 if it belongs to none."""
    match = _FILE_NAME.fullmatch(name)
    return int(match[1]) if match else 0


def write_version(folder: Path, version: int, model: bytes, record: ModelRecord) -> ModelVersion:
    """
    Write the model and its record; both are on disk when this function returns.

    Args:
        folder: the models folder.
        version: number of the version, never used before.
        model: bytes of the .tflite file.
        record: what the model was trained on, and its accuracy.

    Raises:
        OSError: if the disk fails; the files are then deleted if possible.
    """
    sha256 = hashlib.sha256(model).hexdigest()
    content = {
        'format': RECORD_FORMAT,
        'version': version,
        'size': len(model),
        'sha256': sha256,
        'record': record.to_json(),
    }
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
    try:
        write_durably(model_path(folder, version), model)
        write_durably(record_path(folder, version), f'{text}\n'.encode())
    except OSError:
        with contextlib.suppress(OSError):
            delete_versions(folder, [version])
        raise
    return ModelVersion(version, model_path(folder, version), record, sha256)


def read_version(folder: Path, version: int) -> ModelVersion:
    """
    Read the record of a version; its .tflite file is not read.

    Args:
        folder: the models folder.
        version: number of the version.

    Raises:
        FileNotFoundError: if there is no record.
        UnusableModelError: if the record is damaged.
        StoreError: if the record cannot be read.
    """
    path = record_path(folder, version)
    try:
        content = json.loads(read_regular_file(path))
        if content['format'] != RECORD_FORMAT:
            raise ValueError(f'format is {content["format"]}; only {RECORD_FORMAT} is known')
        if content['version'] != version:
            raise ValueError(f'version is {content["version"]}')
        record = ModelRecord.from_json(content['record'])
        return ModelVersion(version, model_path(folder, version), record, str(content['sha256']))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise store_error('read the record', path, error) from error
    except _DAMAGE as error:
        raise UnusableModelError(
            f'The record {path} is damaged ({type(error).__name__}: {error}). What to do: '
            'restore a backup, or train again.'
        ) from error


def delete_versions(folder: Path, versions: Sequence[int]) -> None:
    """
    Delete the files of versions; missing files are ignored.

    Args:
        folder: the models folder.
        versions: numbers of the versions.

    Raises:
        OSError: if the disk fails.
    """
    for version in versions:
        # Delete the record first, so that an interrupted deletion leaves an unfinished version.
        record_path(folder, version).unlink(missing_ok=True)
        model_path(folder, version).unlink(missing_ok=True)
    if versions:
        sync_folder(folder)
