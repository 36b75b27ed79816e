# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads an untrusted sample archive.

The reader looks up members only by names that it generates or checks.  It extracts nothing to a
file, checks sizes before reading, and never unpickles: embeddings are read as plain numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, ExitStack
import json
from pathlib import Path
import re
from typing import Any, IO
import zipfile

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.pictures.compressed_image import check_picture
from edgetpu_retrain.sample_archive.layout import embeddings_member, FORMAT, INDEX, SAMPLES
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.samples.sample import check_image, MAX_IMAGE_BYTES, Sample
import numpy as np

MAX_INDEX_BYTES = 1024 * 1024
MAX_LINE_BYTES = 64 * 1024
MAX_EXTRACTORS = 100
# Maximum ratio of the unpacked size to the size of the zip.  Text compresses to a fiftieth at
# best, pictures and embeddings hardly at all.  A hostile zip can unpack to a thousand times its
# size.
MAX_GROWTH = 200
# Up to this unpacked size, any ratio is accepted.
_SMALL_BYTES = 2**20

_IMAGE = re.compile(r'images/[0-9]{1,19}\.jpg', re.ASCII)
_IDENTITY = re.compile(r'[0-9a-f]{64}', re.ASCII)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
# numpy 1.26 has no type hints for numpy.lib.format.
_npy: Any = np.lib.format


@contextmanager
def open_archive(path: Path) -> Iterator[SampleArchive]:
    """
    Open a sample archive for reading.

    Args:
        path: the zip file.

    Raises:
        RequestError: if the file is not a sample archive, or is damaged.
    """
    what = 'it cannot be opened as a zip'
    with ExitStack() as stack:
        try:
            file = stack.enter_context(zipfile.ZipFile(path))
            what = f'its {INDEX} is damaged'
            archive = SampleArchive(path, file)
        except MemoryError:
            raise
        except Exception as error:
            raise _rejection(path, what, error) from error
        yield archive


class SampleArchive:
    """
    A sample archive that :func:`open_archive` has opened.

    Args:
        path: the zip file.
        file: the open zip file.

    Attributes:
        count: number of samples that the archive declares.
        kinds: embedding kind by extractor identity.
        num_bytes: unpacked size of all members, bytes.

    Raises:
        Exception: of any type, if the archive is damaged.
    """

    def __init__(self, path: Path, file: zipfile.ZipFile) -> None:
        self._path = path
        self._zip = file
        self._members = _checked_members(file)
        self.num_bytes = sum(member.file_size for member in self._members.values())
        most = MAX_GROWTH * path.stat().st_size + _SMALL_BYTES
        if self.num_bytes > most:
            raise ValueError(
                f'it would unpack to {self.num_bytes} bytes, more than the {most} that samples '
                'can be packed from'
            )
        self.count, self.kinds = self._read_index()

    def samples(self) -> Iterator[Sample]:
        """
        Iterate over the samples, with one in memory at a time; labels are not validated.

        Raises:
            RequestError: at the first damaged or invalid sample; the message contains its number.
        """
        done = 0
        try:
            with ExitStack() as stack:
                lines = stack.enter_context(self._open(SAMPLES))
                embeddings = {
                    identity: stack.enter_context(self._open_embeddings(identity, kind))
                    for identity, kind in self.kinds.items()
                }
                while line := lines.readline(MAX_LINE_BYTES + 1):
                    if len(line) > MAX_LINE_BYTES:
                        raise ValueError(f'it is longer than {MAX_LINE_BYTES} bytes')
                    if done == self.count:
                        raise ValueError(f'{INDEX} says that there are only {self.count}')
                    yield self._sample(json.loads(line), embeddings)
                    done += 1
                if done < self.count:
                    raise ValueError(f'{INDEX} says that there are {self.count}')
                for identity, file in embeddings.items():
                    if file.read(1):
                        raise ValueError(f'{embeddings_member(identity)} has more embeddings')
        except MemoryError:
            raise
        except Exception as error:
            raise _rejection(self._path, f'sample {done + 1} is damaged', error) from error

    def _sample(self, entry: Any, embeddings: dict[str, IO[bytes]]) -> Sample:
        if not isinstance(entry, dict):
            raise TypeError('it is no object')
        identities = entry['extractors']
        if not isinstance(identities, list) or not identities:
            raise ValueError('it has no extractors')
        if len(set(identities)) != len(identities):
            raise ValueError('it names an extractor twice')
        return Sample(
            label=_text(entry, 'label'),
            camera=_text(entry, 'camera'),
            stamp_ns=_whole(entry, 'stamp_ns'),
            added_ns=_whole(entry, 'added_ns'),
            # Zips of earlier releases have no recordings.
            recording=_text(entry, 'recording') if 'recording' in entry else '',
            embeddings={
                identity: self._embedding(embeddings[identity], self.kinds[identity])
                for identity in identities
            },
            image=self._image(entry['image']),
        )

    def _embedding(self, file: IO[bytes], kind: EmbeddingKind) -> RawArray:
        data = file.read(kind.num_bytes)
        if len(data) != kind.num_bytes:
            raise EOFError('its embedding is cut off')
        embedding = kind.from_disk(data)
        if not np.isfinite(embedding).all():
            raise ValueError('its embedding is not finite')
        return embedding

    def _image(self, name: Any) -> bytes | None:
        if name is None:
            return None
        if not isinstance(name, str) or not _IMAGE.fullmatch(name):
            raise ValueError(f'{name!a:.100} is no name of a picture')
        member = self._members[name]
        if member.file_size > MAX_IMAGE_BYTES:
            raise ValueError(f'{name} has {member.file_size} bytes')
        with self._open(name) as file:
            content = file.read(MAX_IMAGE_BYTES)
        check_picture(check_image(content))
        return content

    def _open_embeddings(self, identity: str, kind: EmbeddingKind) -> IO[bytes]:
        """Open the member with an extractor's embeddings, positioned at the first embedding."""
        file = self._open(embeddings_member(identity))
        try:
            version = _npy.read_magic(file)
            if version != (1, 0):
                raise ValueError(f'{embeddings_member(identity)} is of .npy format {version}')
            shape, fortran_order, dtype = _npy.read_array_header_1_0(file)
            if fortran_order or dtype != kind.disk_dtype or len(shape) != 2:
                raise ValueError(f'{embeddings_member(identity)} is not what {INDEX} says')
            if shape[1] != kind.dimension or not 0 <= shape[0] <= self.count:
                raise ValueError(f'{embeddings_member(identity)} has shape {list(shape)}')
        except BaseException:
            file.close()
            raise
        return file

    def _read_index(self) -> tuple[int, dict[str, EmbeddingKind]]:
        if self._members[INDEX].file_size > MAX_INDEX_BYTES:
            raise ValueError(f'it is larger than {MAX_INDEX_BYTES} bytes')
        with self._open(INDEX) as file:
            index = json.loads(file.read(MAX_INDEX_BYTES))
        if index['format'] != FORMAT:
            raise ValueError(f'its format is {index["format"]!a:.20}, and only {FORMAT} is known')
        entries = index['extractors']
        if len(entries) > MAX_EXTRACTORS:
            raise ValueError(f'it has {len(entries)} extractors')
        kinds = {}
        for entry in entries:
            identity = _text(entry, 'identity')
            if not _IDENTITY.fullmatch(identity):
                raise ValueError(f'{identity!a:.80} is no SHA-256')
            fields = (entry[name] for name in ('dimension', 'dtype', 'scale', 'zero_point'))
            kinds[identity] = EmbeddingKind.from_fields(*fields)
        return _whole(index, 'samples'), kinds

    def _open(self, name: str) -> IO[bytes]:
        return self._zip.open(self._members[name])


def _checked_members(file: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for member in file.infolist():
        name = member.filename
        if name in members:
            raise ValueError(f'{name!a:.100} is in it twice')
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
            raise ValueError(f'{name!a:.100} is encrypted or compressed in an unusual way')
        members[name] = member
    return members


def _text(entry: Any, name: str) -> str:
    value = entry[name]
    if not isinstance(value, str):
        raise TypeError(f'{name} is no text')
    value.encode()  # rejects surrogates, which SQLite does not store
    return value


def _whole(entry: Any, name: str) -> int:
    value = entry[name]
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(f'{name} is {value!a:.40}; it must be a whole number')
    return value


def _rejection(path: Path, what: str, error: Exception) -> RequestError:
    words = ' '.join(str(error).split())[:300].rstrip('.') or type(error).__name__
    if isinstance(error, KeyError):
        words = f'{error.args[0]!a:.100} is missing'
    return RequestError(
        f'{path} is no sample archive that can be imported: {what} ({words}); give one that '
        "'samples export' wrote"
    )
