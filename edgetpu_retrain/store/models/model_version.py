# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelVersion: one finished training on disk, and the names of its two files."""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
from pathlib import Path
import re

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.failure import store_error
from edgetpu_retrain.store.files.regular_file import read_regular_file
from edgetpu_retrain.store.models.model_record import ModelRecord

LARGEST_VERSION = 999_999_999
"""Nine digits, so that a version fits the int32 of a message."""

_FILE_NAME = re.compile(r'model_(\d{6,9})\.(?:tflite|json)', re.ASCII)


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
            model = read_regular_file(self.path)
        except OSError as error:
            raise store_error('read the model', self.path, error) from error
        if hashlib.sha256(model).hexdigest() != self.sha256:
            raise StoreError(
                f'{self.path} ({len(model)} bytes) is not the file that was written: it is '
                'incomplete or was changed. What to do: restore a backup, or train again.'
            )
        return model


def model_path(folder: Path, version: int) -> Path:
    """Return where the .tflite file of a version lies, whether or not it is there."""
    return folder / f'model_{version:06d}.tflite'


def record_path(folder: Path, version: int) -> Path:
    """Return where the record of a version lies, whether or not it is there."""
    return folder / f'model_{version:06d}.json'


def version_of_file(name: str) -> int:
    """Return the version that a file name belongs to, 0 when it is none of ours."""
    match = _FILE_NAME.fullmatch(name)
    return int(match[1]) if match else 0
