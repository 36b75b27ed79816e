# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
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
