# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks whether samples or questions of an extractor were ever stored."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
import sqlite3

from edgetpu_retrain.store.files.data_folder import SAMPLES_FILE


def has_used(folder: Path, extractor: str) -> bool:
    """
    Return whether samples or questions of an extractor were ever stored in a data folder.

    The database is only read; if it cannot be read, the function returns False.

    Args:
        folder: the data folder, which may not exist.
        extractor: identity of the extractor.
    """
    path = folder / SAMPLES_FILE
    query = 'SELECT EXISTS (SELECT 1 FROM extractors WHERE identity = ?)'
    try:
        if not path.is_file():
            return False
        with closing(sqlite3.connect(f'{path.absolute().as_uri()}?mode=ro', uri=True)) as reader:
            return bool(reader.execute(query, [extractor]).fetchone()[0])
    except (OSError, sqlite3.Error):
        # The command or node that opens the database reports the reason.
        return False
