# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
import io
import random
import struct
import zipfile

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.model_file.metadata.packed_files import append_files, read_files
import pytest
from support.small_models import build_extractor

MODEL = build_extractor('uint8')
FILES = {'labels.txt': 'cat\ndög\n'.encode(), 'LICENSE': b'Apache-2.0' * 100}


def archived(method: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w', method) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_the_model_stays_in_front_of_the_archive() -> None:
    packed = append_files(MODEL, FILES)
    assert packed.startswith(MODEL)
    assert read_files(packed) == FILES


def test_offsets_count_from_the_front_of_the_model() -> None:
    packed = append_files(MODEL, FILES)
    # The last record of an archive: where its list of files begins, and how long that is.
    size, start = struct.unpack('<LL', packed[-10:-2])
    assert packed[start:].startswith(b'PK\1\2')
    assert start + size + 22 == len(packed)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        for entry in archive.infolist():
            assert packed.startswith(b'PK\3\4', entry.header_offset)
            assert entry.compress_type == zipfile.ZIP_STORED
            # The time of day would make the same model other bytes.
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)


def test_without_files_no_archive_is_written() -> None:
    assert append_files(MODEL, {}) == MODEL
    assert read_files(MODEL) == {}


def test_bytes_that_look_like_an_archive_do_not_confuse_it() -> None:
    lookalike = MODEL + archived(zipfile.ZIP_STORED)
    assert read_files(append_files(lookalike, {'new.txt': b'new'})) == {'new.txt': b'new'}
    assert read_files(MODEL + b'PK\5\6' + bytes(100)) == {}


def test_compressed_archives_of_other_tools_are_read() -> None:
    assert read_files(MODEL + archived(zipfile.ZIP_DEFLATED)) == FILES


def test_damaged_archives_raise_model_file_error_or_still_read() -> None:
    packed = MODEL + archived(zipfile.ZIP_DEFLATED)
    rng = random.Random(0)
    refused = 0
    for _ in range(500):
        damaged = bytearray(packed)
        for _ in range(rng.choice([1, 3, 9])):
            damaged[rng.randrange(len(MODEL), len(packed))] = rng.randrange(256)
        try:
            read_files(bytes(damaged))
        except ModelFileError:
            refused += 1
    assert refused > 100


def test_a_damaged_file_is_named() -> None:
    packed = append_files(MODEL, FILES)
    damaged = packed.replace(b'cat\n', b'rat\n')
    with pytest.raises(ModelFileError, match=r"'labels\.txt' packed into this model"):
        read_files(damaged)


def test_a_damaged_directory_is_not_mistaken_for_no_archive() -> None:
    packed = append_files(MODEL, FILES)
    with pytest.raises(ModelFileError, match='packed into this model are damaged'):
        read_files(packed.replace(b'PK\1\2', b'PK\0\0'))


def test_an_archive_that_unpacks_to_gigabytes_is_not_unpacked() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('labels.txt', bytes(65 * 2**20))
    assert len(stream.getvalue()) < 100_000
    with pytest.raises(ModelFileError, match='1 packed files of 68157440 bytes'):
        read_files(MODEL + stream.getvalue())
