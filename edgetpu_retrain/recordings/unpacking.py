# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Unpacks untrusted zstd data, with a limit on the unpacked size.

The library rosbags has no limit: it unpacks a crafted file of 262 kB to 3.4 GB on the disk, and a
short message to 2 GiB in memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgetpu_retrain.errors import RecordingError
from rosbags.rosbag2 import reader

MAX_GROWTH = 255
"""
Maximum number of unpacked bytes per compressed byte.

Raw images of real scenes grow at most tenfold.  LZ4, the other compression of MCAP, cannot exceed
this limit.
"""

SMALL_BYTES = 64 * 1024 * 1024
"""
Unpacked size, bytes, up to which any growth is accepted.

Images of a single colour compress very well.
"""

ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'
"""The first bytes of zstd data (RFC 8878); no serialized message begins with them."""

_PIECE_BYTES = 1024 * 1024

_zstd: Any = reader.zstd


def unpack_file(source: Path, target: Path) -> None:
    """
    Unpack a file; a truncated file is unpacked as far as possible.

    Args:
        source: the compressed file.
        target: the file to write.

    Raises:
        RecordingError: if the file is damaged or grows too much, or if nothing of a truncated file
            can be unpacked.
        OSError: if a file cannot be read or written.
    """
    compressed, unpacked = source.stat().st_size, 0
    try:
        with _zstd.open(source, 'rb') as packed, target.open('wb') as plain:
            while piece := packed.read1(_PIECE_BYTES):
                unpacked += len(piece)
                check_growth(compressed, unpacked)
                plain.write(piece)
    except EOFError as error:
        if not unpacked:
            raise RecordingError(
                f'{source} is cut off, and nothing of it can be unpacked: choose another file'
            ) from error
        # McapStorage or SqliteStorage reports the missing rest.
        return
    except _zstd.ZstdError as error:
        raise RecordingError(
            f'{source} cannot be unpacked ({error}): give a file that zstd can unpack'
        ) from error


def unpack(data: bytes) -> bytes:
    """
    Return the unpacked bytes of a compressed chunk or message.

    Raises:
        RecordingError: if the bytes are truncated or grow too much.
        Exception: of any type, if the bytes are damaged.
    """
    content, rest = b'', data
    while rest:
        decompressor = _zstd.ZstdDecompressor()
        content += decompressor.decompress(rest, _most(len(data)) + 1 - len(content))
        check_growth(len(data), len(content))
        if not decompressor.eof:
            raise RecordingError('compressed data is cut off')
        rest = decompressor.unused_data
    return content


def check_growth(compressed: int, unpacked: int) -> None:
    """Raise RecordingError if too many bytes were unpacked from the compressed bytes."""
    if unpacked > _most(compressed):
        raise RecordingError(f'{compressed} bytes unpack to more than {_most(compressed)}')


def _most(compressed: int) -> int:
    return SMALL_BYTES + MAX_GROWTH * compressed
