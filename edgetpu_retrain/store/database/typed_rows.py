# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Rows of a database whose values are of the types that its tables promise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
import sqlite3
from typing import Any


class MalformedRowError(sqlite3.DatabaseError):
    """
    What is in the file contradicts itself.

    SQLite checks types when it writes (STRICT tables) and not when it reads, so a damaged file
    can give anything.  As an error of SQLite it is told like the damage that SQLite finds itself.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f'malformed row: {what}')


def typed_rows(
    rows: Iterable[tuple[Any, ...]], *types: type | tuple[type, ...]
) -> Iterator[tuple[Any, ...]]:
    """
    Go through rows, each value of which is checked.

    Args:
        rows: a cursor.
        types: of each column; several where it may be NULL.

    Raises:
        MalformedRowError: when a value is of another type.
    """
    for row in rows:
        for value, expected in zip(row, types, strict=True):
            if not isinstance(value, expected):
                raise MalformedRowError(
                    f'a column holds {type(value).__name__} in a row with {row[0]!a:.40}'
                )
        yield row
