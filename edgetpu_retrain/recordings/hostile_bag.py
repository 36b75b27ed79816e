# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Rejects hostile bags, which would take unlimited time or memory to read.

Bags are untrusted.  Nested YAML aliases can expand a short metadata.yaml to a text of any length.
A view, a virtual table or a generated column can expand a short database to a table of any length.
No recorder writes any of these, so bags that contain them are rejected.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
import re
import sqlite3

from edgetpu_retrain.errors import RecordingError

# The metadata.yaml of a recording of a week, in thousands of files, has a few megabytes.
MAX_METADATA_BYTES = 32 * 1024 * 1024

_ANCHOR = re.compile(r'&([^\s,\[\]{}]+)')
_ALIAS = re.compile(r'\*([^\s,\[\]{}]+)')
_NOT_A_BAG = 'it is no recording of rosbag2'


def check_bag(path: Path) -> None:
    """
    Reject a bag with special files, such as pipes, or with a hostile metadata.yaml.

    The storage files are not read; see :func:`check_tables`.

    Args:
        path: the folder of the bag, or one storage file.

    Raises:
        RecordingError: if the bag has a special file, or if its metadata.yaml contains aliases or
            is larger than :data:`MAX_METADATA_BYTES`.
        OSError: if the bag cannot be read.
    """
    for file in path.iterdir() if path.is_dir() else [path]:
        if file.exists() and not (file.is_file() or file.is_dir()):
            # Opening a pipe would block.
            raise RecordingError(f'{file} is no regular file: {_NOT_A_BAG}')
    metadata = path / 'metadata.yaml'
    if metadata.is_file():
        _check_metadata(metadata)


def _check_metadata(path: Path) -> None:
    size = path.stat().st_size
    if size > MAX_METADATA_BYTES:
        raise RecordingError(
            f'{path} has {size} bytes, and real ones have at most {MAX_METADATA_BYTES}: '
            f'{_NOT_A_BAG}'
        )
    text = path.read_text(encoding='utf-8', errors='replace')
    repeated = set(_ANCHOR.findall(text)) & set(_ALIAS.findall(text))
    if repeated:
        raise RecordingError(
            f'{path} repeats parts of itself (as &{min(repeated):.40}): {_NOT_A_BAG}'
        )


def check_tables(path: Path) -> None:
    """
    Reject an sqlite3 storage file with views, virtual tables or generated columns.

    Args:
        path: the storage file.

    Raises:
        RecordingError: if the file has one of these.
        sqlite3.Error: if the file cannot be read.
    """
    # Ignore the write-ahead log (immutable=1), as rosbags does, to check what rosbags will read.
    address = f'{path.absolute().as_uri()}?immutable=1'
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        objects = connection.execute('SELECT type, name, rootpage FROM sqlite_master').fetchall()
        for kind, name, page in objects:
            what = ''
            if kind == 'view' or (kind == 'table' and not page):
                what = 'a computed table'
            elif kind == 'table':
                columns = connection.execute('SELECT hidden FROM pragma_table_xinfo(?)', (name,))
                what = 'computed columns in table' if any(map(any, columns)) else ''
            if what:
                raise RecordingError(
                    f'{path} has {what} {name!a:.60}, which is not read: {_NOT_A_BAG}'
                )
