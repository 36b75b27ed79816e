# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Databases with rows of correct types and any values."""

from __future__ import annotations

import contextlib
from pathlib import Path
import sqlite3
from typing import Any

from fuzz.small_store import make_database, use_store
from fuzz.target import check_memory, MemoryBudget, MIB, scratch_folder, Target
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st

WHOLE = st.one_of(
    st.sampled_from((-(2**63), -1, 0, 1, 2, 4, 10**9, 10**15, 2**63 - 1)), st.integers(-9, 9)
)
REAL = st.sampled_from((0.0, -0.5, 1e-300, 0.5, 1e300, float('inf'), float('-inf'), None))
TEXT = st.one_of(
    st.sampled_from(('', 'unknown', 'a\nb', '\x1b[31m', '../../etc', 'x' * 5000, 'uint8', 'int8')),
    st.text(max_size=5),
)
BLOB = st.binary(max_size=40)
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    'extractors.dimension': WHOLE,
    'extractors.dtype': TEXT,
    'extractors.scale': REAL,
    'extractors.zero_point': st.one_of(st.none(), WHOLE),
    'extractors.identity': TEXT,
    'samples.label': TEXT,
    'samples.camera': TEXT,
    'samples.stamp_ns': WHOLE,
    'samples.addition': WHOLE,
    'samples.added_ns': WHOLE,
    'samples.recording': TEXT,
    'samples.id': WHOLE,
    'embeddings.data': BLOB,
    'embeddings.extractor_id': WHOLE,
    'embeddings.sample_id': WHOLE,
    'images.jpeg': BLOB,
    'images.sample_id': WHOLE,
    'changes.id': WHOLE,
    'changes.kind': TEXT,
    'changes.made_ns': WHOLE,
    'changes.addition': WHOLE,
    'changes.undone': WHOLE,
    'changed_samples.change_id': WHOLE,
    'changed_samples.sample_id': WHOLE,
    'changed_samples.old_label': TEXT,
    'changed_samples.new_label': TEXT,
    'removed_samples.id': WHOLE,
    'removed_samples.label': TEXT,
    'removed_samples.recording': TEXT,
    'removed_embeddings.data': BLOB,
    'removed_embeddings.sample_id': WHOLE,
    'removed_images.jpeg': BLOB,
    'removed_images.sample_id': WHOLE,
    'sqlite_sequence.seq': WHOLE,
}
CHANGES = st.lists(
    st.sampled_from(sorted(COLUMNS)).flatmap(
        lambda name: st.tuples(st.just(name), COLUMNS[name], st.booleans())
    ),
    min_size=1,
    max_size=4,
)
with scratch_folder() as _folder:
    DATABASE = make_database(_folder).read_bytes()


def _use(data: bytes, folder: Path) -> None:
    path = folder / 'samples.db'
    path.write_bytes(data)
    use_store(path)


TARGET = Target(run=_use, seeds=lambda: (DATABASE,), memory=MemoryBudget(4 * MIB, 64))


@given(CHANGES)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_rows_of_any_value(tmp_path: Path, changes: list[tuple[str, Any, bool]]) -> None:
    path = tmp_path / 'made.db'
    path.write_bytes(DATABASE)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for name, value, in_all in changes:
            table, column = name.split('.')
            rows = '' if in_all else f'WHERE rowid = (SELECT MIN(rowid) FROM {table})'
            with contextlib.suppress(sqlite3.IntegrityError):
                connection.execute(f'UPDATE {table} SET {column} = ? {rows}', (value,))
    data = path.read_bytes()
    path.unlink()
    check_memory(TARGET, data, tmp_path)
