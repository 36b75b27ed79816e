# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
BagReader: reads untrusted bags with the library rosbags.

The library opens any file that the metadata of a bag names, and unpacks zstd without a limit: a
file of 262 kB becomes 3.4 GB on the disk, and a short message 2 GiB in memory.  Here each file is
checked when it is opened, and unpacking stops at a limit.
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, ClassVar

from edgetpu_retrain.recordings.hostile_bag import check_tables
from rosbags.rosbag2 import reader, storage_mcap
from rosbags.rosbag2.errors import ReaderError

MAX_GROWTH = 255
"""Maximum number of unpacked bytes per compressed byte.  LZ4, the other format, cannot exceed it,
and raw images grow tenfold at most."""

SMALL_BYTES = 64 * 1024 * 1024
"""Up to this size, any growth is accepted: images of a single colour compress very well."""

_zstd: Any = reader.zstd


class _Tables(reader.Sqlite3Reader):  # type: ignore[misc]
    """Reads a file of sqlite3 storage, after checking its tables."""

    def _open(self) -> None:
        check_tables(self.path)
        super()._open()


class _Chunks(reader.McapReader):  # type: ignore[misc]
    """Reads a file of mcap storage; rejects it if its chunks grow too much when unpacked."""

    def _open(self) -> None:
        super()._open()
        # Chunks that overlap in time are in memory together, so their sizes are added.
        unpacked = sum(each.uncompressed_size for each in self.chunks)
        _check_growth(self.path.stat().st_size, unpacked)


class _Folder(reader.DirectoryReader):  # type: ignore[misc]
    STORAGE_PLUGINS: ClassVar = {'mcap': _Chunks, 'sqlite3': _Tables}


class BagReader(reader.Reader):  # type: ignore[misc]
    """Reads a bag as :class:`rosbags.rosbag2.Reader` does, in bounded memory."""

    STORAGE_PLUGINS: ClassVar = {'dir': _Folder, '.mcap': _Chunks, '.db3': _Tables}


class _BoundedFile(_zstd.ZstdFile):  # type: ignore[misc]
    """Reads a zstd file; rejects it when it has grown too much."""

    def __init__(self, file: Any, mode: str) -> None:
        super().__init__(file, mode)
        self._compressed = os.fstat(file.fileno()).st_size
        self._unpacked = 0

    def read(self, size: int = -1) -> bytes:
        content: bytes = super().read(size)
        self._unpacked += len(content)
        _check_growth(self._compressed, self._unpacked)
        return content


def _decompress(data: bytes) -> bytes:
    content, rest = b'', data
    while rest:
        decompressor = _zstd.ZstdDecompressor()
        content += decompressor.decompress(rest, _most(len(data)) + 1 - len(content))
        _check_growth(len(data), len(content))
        if not decompressor.eof:
            raise ReaderError('compressed data is cut off')
        rest = decompressor.unused_data
    return content


def _most(compressed: int) -> int:
    return SMALL_BYTES + MAX_GROWTH * compressed


def _check_growth(compressed: int, unpacked: int) -> None:
    if unpacked > _most(compressed):
        raise ReaderError(f'{compressed} bytes unpack to more than {_most(compressed)}')


reader.zstd = storage_mcap.zstd = SimpleNamespace(
    **{**vars(_zstd), 'open': _BoundedFile, 'decompress': _decompress}
)
