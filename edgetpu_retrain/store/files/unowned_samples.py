# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Detects samples in a data folder that no running node owns.

With a new namespace, a node uses another default data folder, and its earlier samples remain in
the old one.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.data_folder import SAMPLES_FILE
from edgetpu_retrain.store.files.ownership import Ownership


def has_unowned_samples(folder: Path) -> bool:
    """
    Return whether a data folder has samples and no owner; False if they cannot be read.

    The function owns the folder for a moment.  It does not write to the database.

    Args:
        folder: the data folder, which may not exist.
    """
    path = folder / SAMPLES_FILE
    try:
        if not path.is_file():
            return False
        Ownership(folder).release()
        with closing(sqlite3.connect(f'{path.absolute().as_uri()}?mode=ro', uri=True)) as reader:
            return bool(reader.execute('SELECT EXISTS (SELECT 1 FROM samples)').fetchone()[0])
    except (OSError, StoreError, sqlite3.Error):
        # A node that opens the database in this folder reports the error.
        return False
