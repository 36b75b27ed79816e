# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes a sample archive: all samples of a store as one zip."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
from typing import Any
import zipfile

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.sample_archive import layout
from edgetpu_retrain.store.files.disk_errors import store_error
from edgetpu_retrain.store.files.durable_file import complete_or_absent, sync_folder
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.store.samples.snapshot import Snapshot
import numpy as np

# numpy 1.26 has no type hints for numpy.lib.format.
_npy: Any = np.lib.format


def write_archive(
    store: SampleStore, path: Path, on_sample: Callable[[], object] = lambda: None
) -> int:
    """
    Write all samples, of all extractors, to a zip file, with one picture in memory at a time.

    Args:
        store: the store, read in one transaction; other processes may write to it.
        path: the zip file, which appears at this path only when it is complete.
        on_sample: called after each sample.

    Returns:
        Number of samples in the archive.

    Raises:
        RequestError: if there are no samples, or the zip already exists.
        StoreError: if the store cannot be read or the zip cannot be written.
    """
    if path.exists():
        raise RequestError(f'{path} is there already: give another name, or remove it first')
    try:
        with store.snapshot() as snapshot, complete_or_absent(path) as partial:
            total = snapshot.total()
            if not total:
                raise RequestError(f'there are no samples in {store.path}: teach some first')
            with zipfile.ZipFile(partial, 'w') as archive:
                _write(archive, snapshot, total, on_sample)
        sync_folder(path.parent)
    except OSError as error:
        raise store_error('write the samples to', path, error) from error
    return total


def _write(
    archive: zipfile.ZipFile, snapshot: Snapshot, total: int, on_sample: Callable[[], object]
) -> None:
    kinds = snapshot.kinds()
    index = {
        'format': layout.FORMAT,
        'samples': total,
        'extractors': [{'identity': each, **kind.to_fields()} for each, kind in kinds.items()],
    }
    archive.writestr(_member(layout.INDEX), json.dumps(index, indent=2) + '\n')
    with archive.open(_member(layout.SAMPLES), 'w', force_zip64=True) as lines:
        for sample, extractors in snapshot.samples():
            line = {
                'label': sample.label,
                'camera': sample.camera,
                'stamp_ns': sample.stamp_ns,
                'added_ns': sample.added_ns,
                'recording': sample.recording,
                'image': layout.image_member(sample.sample_id) if sample.has_image else None,
                'extractors': extractors,
            }
            lines.write(json.dumps(line, ensure_ascii=False).encode() + b'\n')
    for identity, kind in kinds.items():
        _write_embeddings(archive, snapshot, identity, kind)
    for sample, _ in snapshot.samples():
        picture = snapshot.picture(sample.sample_id)
        if picture is not None:
            archive.writestr(_entry(layout.image_member(sample.sample_id)), picture.jpeg)
        on_sample()


def _write_embeddings(
    archive: zipfile.ZipFile, snapshot: Snapshot, identity: str, kind: EmbeddingKind
) -> None:
    header = {
        'descr': _npy.dtype_to_descr(kind.disk_dtype),
        'fortran_order': False,
        'shape': (snapshot.count(identity), kind.dimension),
    }
    with archive.open(layout.embeddings_member(identity), 'w', force_zip64=True) as file:
        _npy.write_array_header_1_0(file, header)
        for *_, data in snapshot.embeddings(identity, kind):
            file.write(data)


def _member(name: str) -> zipfile.ZipInfo:
    """
    Return the zip entry of a text member, which is compressed.

    Pictures and embeddings are stored uncompressed, because they would hardly become smaller.
    """
    member = _entry(name)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _entry(name: str) -> zipfile.ZipInfo:
    # A fixed time: a zip cannot have times before 1980, which a robot's clock may show.
    return zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
