# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Files with secrets: written atomically, readable only by their user."""

from __future__ import annotations

from pathlib import Path
import stat

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.store.files.durable_file import complete_or_absent, sync_folder
from edgetpu_retrain.store.files.regular_file import read_regular_file

MAX_BYTES = 64 << 10
"""Maximum length of a file that is read, bytes."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write_private(path: Path, content: bytes) -> None:
    """
    Write a file with mode 0600, atomically; it is on disk when this function returns.

    Raises:
        StoreError: if the disk fails; the file then has its old or its new content.
    """
    with as_store_error('write', path):
        with complete_or_absent(path) as temporary:
            temporary.chmod(0o600)
            temporary.write_bytes(content)
        sync_folder(path.parent)


def read_private(path: Path) -> bytes:
    """
    Return the content of a file that only its user can read.

    Raises:
        FleetError: if the file is missing, is too large, cannot be read, or has a mode that allows
            others any access.
    """
    try:
        content = read_regular_file(path, at_most=MAX_BYTES)
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise FleetError(f'there is no file {path}: check the path') from error
    except (OSError, ValueError) as error:
        raise FleetError(f'{path} cannot be read: {error}') from error
    if mode & _OTHERS:
        raise FleetError(
            f'{path} has a private key, and other users of this machine may read or change it '
            f'(mode {stat.S_IMODE(mode):04o}): chmod 600 {path}, and revoke the key if somebody '
            'might have read it'
        )
    return content
