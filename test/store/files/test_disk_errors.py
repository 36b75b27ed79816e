# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import os
from pathlib import Path
import sqlite3

from edgetpu_retrain.store.files.disk_errors import store_error
import pytest

FILE = Path('/data/samples.db')


@pytest.mark.parametrize(
    ('number', 'advice'),
    [
        (errno.ENOSPC, 'free space'),
        (errno.ENOMEM, 'free memory'),
        (errno.EROFS, 'write permission'),
        (errno.EACCES, 'write permission'),
        (errno.EISDIR, 'a folder lies where a file is needed'),
        (errno.ENOLCK, 'on a local disk'),
        (errno.EMFILE, 'check the path'),
    ],
)
def test_an_os_error_gets_path_reason_and_advice(number: int, advice: str) -> None:
    error = store_error('write a model to', FILE, OSError(number, os.strerror(number)))
    assert str(error).startswith(f'Cannot write a model to {FILE}: {os.strerror(number)}. What')
    assert advice in str(error)


@pytest.mark.parametrize(
    ('reason', 'advice'),
    [
        ('database or disk is full', 'free space'),
        ('attempt to write a readonly database', 'write permission'),
        ('database disk image is malformed', 'damaged'),
        ('no such table: samples', 'damaged'),
        ('no such column: added_ns', 'damaged'),
        ('Could not decode to UTF-8 column', 'damaged'),
        ('disk I/O error', 'its disk is healthy'),
        ('something new', 'check the file'),
    ],
)
def test_an_sqlite_error_gets_path_reason_and_advice(reason: str, advice: str) -> None:
    error = store_error('store a sample in', FILE, sqlite3.OperationalError(reason))
    assert str(error).startswith(f'Cannot store a sample in {FILE}: {reason}. What to do: ')
    assert advice in str(error)


def test_too_little_memory_is_not_damage() -> None:
    for error in (MemoryError(), MemoryError('malformed'), OSError(errno.ENOMEM, 'no memory')):
        assert 'What to do: free memory.' in str(store_error('read', FILE, error))
    for reason in ('disk I/O error', 'database or disk is full', 'database is locked'):
        words = str(store_error('read', FILE, sqlite3.OperationalError(reason)))
        assert 'damaged' not in words
        assert 'away' not in words
