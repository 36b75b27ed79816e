# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A zip of samples, from its opening to the store that imports it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import io
from pathlib import Path
import random
import zipfile

from edgetpu_retrain.sample_archive.archive_reading import open_archive
from edgetpu_retrain.sample_archive.archive_writing import write_archive
from edgetpu_retrain.sample_archive.importing import import_archive
from edgetpu_retrain.store.samples.sample_store import SampleStore
from fuzz.small_store import fill, make_database
from fuzz.target import MemoryBudget, MIB, scratch_folder, Target


def _run(data: bytes, folder: Path) -> None:
    path = folder / 'samples.zip'
    path.write_bytes(data)
    with open_archive(path) as archive:
        for sample in archive.samples():
            assert sample.embeddings
        with SampleStore(folder / 'samples.db') as store:
            import_archive(store, archive, {})


def _mutate(
    data: bytes, most: int, seed: int, change_bytes: Callable[[bytes, int], bytes]
) -> bytes:
    """Change one member and pack all of them again, so that checksums and lengths are right."""
    choose = random.Random(seed)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {each.filename: archive.read(each) for each in archive.infolist()[:20]}
    except Exception:  # noqa: BLE001 - whatever a broken zip makes it raise
        members = {}
    if not members or choose.random() < 0.2:
        return change_bytes(data, most)
    name = choose.choice(sorted(members))
    if choose.random() < 0.9:
        members[name] = change_bytes(members[name], most)
    else:
        renamed = change_bytes(name.encode(), 100).decode(errors='replace')
        members[renamed or 'x'] = members.pop(name)
    packed = io.BytesIO()
    method = choose.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(packed, 'w', method) as archive:
        for each, content in members.items():
            archive.writestr(each, content)
    return packed.getvalue()[:most]


def _seeds() -> Iterator[bytes]:
    with scratch_folder() as folder:
        make_database(folder)
        with SampleStore(folder / 'samples.db') as store:
            fill(store)
            write_archive(store, folder / 'samples.zip')
        yield (folder / 'samples.zip').read_bytes()


TARGET = Target(run=_run, seeds=_seeds, memory=MemoryBudget(8 * MIB, 1024), mutate=_mutate)
