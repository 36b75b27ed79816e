# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds the data folder of a node that is running on this machine."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.data_folder import default_folder
from edgetpu_retrain.store.files.ownership import OWNER_FILE
from edgetpu_retrain.store.files.regular_file import open_regular_file


def folder_in_use(parameter: str, node: str, program: str) -> Path:
    """
    Return the data folder of a running node.

    Args:
        parameter: value of the node's parameter ``data_dir``.
        node: full name of the node.
        program: name of the program that needs the folder, for the error message.

    Raises:
        StoreError: if the path of the folder is invalid, or no node on this machine uses the
            folder.
    """
    try:
        wanted = Path(parameter) if parameter else default_folder(node)
        folder = wanted.expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise StoreError(f'The data folder of {node} cannot be found here: {error}.') from error
    if not _is_owned(folder):
        raise StoreError(
            f'The data folder of {node}, {folder}, is not in use by a node on this machine. Run '
            f'{program} on the machine of the node and as the same user; if it does, see the '
            "problems in the node's status."
        )
    return folder


def _is_owned(folder: Path) -> bool:
    """Return whether a node owns the folder, which means that its owner file is locked."""
    try:
        descriptor = open_regular_file(folder / OWNER_FILE, os.O_RDONLY)
    except OSError:
        return False
    try:
        # Use a shared lock, so that two programs do not mistake each other for the node.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
