# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The two files of a model version, written and deleted so that a kill at any moment tells.

``model_000012.tflite`` works alone anywhere, and ``model_000012.json`` tells where it came from
and the size and SHA-256 that the first must have.  The record is written last and deleted first,
so a version without one was never finished.
"""

from __future__ import annotations

from collections.abc import Sequence
import contextlib
import hashlib
import json
from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.durable_file import sync_folder, write_durably
from edgetpu_retrain.store.files.failure import store_error
from edgetpu_retrain.store.files.regular_file import read_regular_file
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_version import model_path, ModelVersion, record_path

RECORD_FORMAT = 1


def write_version(folder: Path, version: int, model: bytes, record: ModelRecord) -> ModelVersion:
    """
    Write both files; all of them is on the disk when this returns.

    Args:
        folder: of the models.
        version: its number, which no other has.
        model: bytes of the .tflite file.
        record: where it came from.

    Raises:
        OSError: when the disk refuses; nothing is left of the version then, as far as it lets.
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
    Read a version's record, and leave its model alone.

    Args:
        folder: of the models.
        version: its number.

    Raises:
        FileNotFoundError: when there is no record.
        StoreError: when it cannot be read or is damaged.
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


def delete_versions(folder: Path, versions: Sequence[int]) -> None:
    """
    Delete the files of versions, as far as they are there.

    Raises:
        OSError: when the disk refuses.
    """
    for version in versions:
        # The record first: whatever is left when this is cut short is an unfinished version.
        record_path(folder, version).unlink(missing_ok=True)
        model_path(folder, version).unlink(missing_ok=True)
    if versions:
        sync_folder(folder)
