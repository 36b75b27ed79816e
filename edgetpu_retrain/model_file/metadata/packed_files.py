# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Files packed into a model: a ZIP archive after the flatbuffer, as defined by TFLite Metadata.

Runtimes read the flatbuffer from the front and ignore the archive.  ``unzip`` and Python's zipfile
search for an archive from the end and ignore the data in front of it.
"""

from __future__ import annotations

from collections.abc import Mapping
import io
import struct
import zipfile

from edgetpu_retrain.errors import ModelFileError

# Maximum number of packed files, and maximum of their total unpacked size in bytes.  Label files
# and licences take kilobytes, but a hostile archive can unpack to any size.
_MAX_FILES = 1000
_MAX_BYTES = 64 * 2**20
# A second maximum of the total unpacked size: this many times the model's size, plus _ALLOWANCE
# bytes.  In real models, labels are smaller than the model, and text rarely compresses to less
# than a tenth.
_MAX_GROWTH = 100
_ALLOWANCE = 65_536
# Exceptions that zipfile raises for malformed archives, besides BadZipFile.
_MALFORMED = (ValueError, OSError, NotImplementedError, IndexError, OverflowError, struct.error)
# Mark and size, in bytes, of the last record of an archive without a comment (APPNOTE.TXT of
# PKWARE, section 4.3.16).
_END_MARK = b'PK\5\6'
_END_SIZE = 22
# A fixed time, the oldest that ZIP supports, keeps the output reproducible.
_TIME = (1980, 1, 1, 0, 0, 0)


def read_files(model: bytes) -> dict[str, bytes]:
    """
    Return the files that are packed into a model, by name; ``{}`` if there are none.

    Raises:
        ModelFileError: if a packed file is damaged, or the packed files are too many or too large.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(model))
    except (zipfile.BadZipFile, *_MALFORMED) as error:
        if model[-_END_SIZE:].startswith(_END_MARK):
            raise ModelFileError(
                f'the files packed into this model are damaged ({error}); '
                'copy or download the model again'
            ) from error
        return {}
    with archive:
        # is_dir() would raise an exception for an empty name.
        entries = [entry for entry in archive.infolist() if not entry.filename.endswith('/')]
        size = sum(entry.file_size for entry in entries)
        most = min(_MAX_BYTES, _MAX_GROWTH * len(model) + _ALLOWANCE)
        if len(entries) > _MAX_FILES or size > most:
            raise ModelFileError(
                f'this model of {len(model)} bytes has {len(entries)} packed files of {size} '
                f'bytes; at most {_MAX_FILES} of {most} bytes in all can be handled'
            )
        return {entry.filename: _read(archive, entry) for entry in entries}


def append_files(flatbuffer: bytes, files: Mapping[str, bytes]) -> bytes:
    """
    Return a model with files packed into it, uncompressed.

    Args:
        flatbuffer: the model without an archive.
        files: content by name.
    """
    # Without files, no archive is needed, unless the flatbuffer happens to look like an archive:
    # then append an empty archive, which readers find first.
    if not files and not read_files(flatbuffer):
        return flatbuffer
    stream = io.BytesIO()
    stream.write(flatbuffer)
    # As the stream already contains the model, the archive's offsets are relative to the start of
    # the model, and unzip does not warn.  (Mode 'a' would search the weights for an archive.)
    with zipfile.ZipFile(stream, 'w', zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), content)
    return stream.getvalue()


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(entry)
    except MemoryError:
        raise
    except Exception as error:
        # Compression and encryption each raise their own exceptions.
        raise ModelFileError(
            f'the file {entry.filename!r} packed into this model cannot be read ({error}); '
            'copy or download the model again'
        ) from error
