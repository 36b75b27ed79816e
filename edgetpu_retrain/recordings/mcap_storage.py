# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
McapStorage: reads one untrusted .mcap file of a bag, even if the file is truncated.

The format: https://mcap.dev/spec
"""

from __future__ import annotations

from collections.abc import Iterator
import importlib.util
import io
from types import SimpleNamespace
from typing import Any, BinaryIO

from edgetpu_retrain.errors import RecordingError
from edgetpu_retrain.recordings.unpacking import check_growth, unpack
from edgetpu_retrain.wording import counted, quoted
from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat

_MAGIC = b'\x89MCAP0\r\n'
_HEADER, _FOOTER, _CHUNK, _DATA_END = 0x01, 0x02, 0x06, 0x0F
# The opcodes that the specification defines, and those that it leaves to applications.
_OPERATIONS = frozenset(range(0x01, 0x10)) | frozenset(range(0x80, 0x100))
# Each record begins with its opcode (one byte) and the length of its content (eight bytes).
_RECORD_HEAD_BYTES = 9
# A record that states this length or more is damaged: records of real images are shorter.
_MOST_RECORD_BYTES = 2**30
# Up to this length, records are read without checking that the rest of the file is long enough.
_SMALL_RECORD_BYTES = 2**20


def _private_storage_mcap() -> Any:
    """
    Return a private copy of rosbags' module storage_mcap, changed for untrusted files.

    The copy reads and unpacks records in bounded memory.  It ignores QoS profiles and message
    definitions, because rosbags rejects files that contain an unknown one.
    """
    spec = importlib.util.find_spec('rosbags.rosbag2.storage_mcap')
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    read_exact = module.read_exact

    def read_bounded(bio: BinaryIO, size: int) -> bytes:
        # read() allocates the requested size, and a damaged record can state any length.  One
        # byte more than the rest of the file is enough for read_exact() to raise.
        if size > _SMALL_RECORD_BYTES:
            position = bio.tell()
            end = bio.seek(0, io.SEEK_END)
            bio.seek(position)
            size = min(size, end - position + 1)
        content: bytes = read_exact(bio, size)
        return content

    module.read_exact = read_bounded
    module.zstd = SimpleNamespace(decompress=unpack)
    module.get_msgdef = lambda _: MessageDefinition(MessageDefinitionFormat.NONE, '')
    module.get_qos = lambda _: []
    return module


_storage_mcap = _private_storage_mcap()


_McapReader: Any = _storage_mcap.McapReader


class McapStorage(_McapReader):  # type: ignore[misc]
    """
    Reads an .mcap file; a truncated file is read up to its last complete record.

    A file whose chunks grow too much when they are unpacked is rejected.
    """

    connections: list[Any]
    metadata: Any

    loss = ''
    """Message for the user about a truncated file; '' = the file is not truncated."""

    cure = "'mcap recover' may save what is left of a damaged file"
    """Message for the user: how to repair a damaged file."""

    def _open(self) -> None:
        profile = self._check_header()
        try:
            self.bio.seek(0)
            if not profile:
                raise ValueError('rosbags requires a profile')
            super()._open()
        except (RecordingError, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - a truncated index may raise any exception
            self._open_without_end()
        # Chunks that overlap in time are in memory together, so the sizes of all chunks are added.
        unpacked = sum(each.uncompressed_size for each in self.chunks)
        check_growth(self.path.stat().st_size, unpacked)

    def messages(
        self, connections: Any, start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[Any, int, bytes]]:
        """Iterate over messages in time order; without a complete index, in file order."""
        indexed = sum(count for each in self.chunks for count in each.channel_count.values())
        if indexed and indexed == self.metadata.message_count:
            return iter(super().messages(connections, start, stop))
        return iter(self.messages_scan(connections, start, stop))

    def _check_header(self) -> str:
        """Return the MCAP profile, 'ros2' or ''; raise RecordingError for any other file."""
        begin = self.bio.read(len(_MAGIC))
        if begin != _MAGIC:
            raise RecordingError(
                f'it begins with {begin!a}, which is no MCAP file: check the path'
            )
        if self.bio.read(1) != bytes([_HEADER]):
            raise RecordingError('it has no MCAP header: record again')
        self.bio.seek(8, io.SEEK_CUR)
        profile = _storage_mcap.read_string(self.bio)
        if profile.startswith('ros1'):
            raise RecordingError(
                f'it is a recording of ROS 1 (MCAP profile {quoted(profile)}): convert the .bag '
                "that it was made of with 'rosbags-convert'"
            )
        if profile not in ('ros2', ''):
            raise RecordingError(
                f'its MCAP profile is {quoted(profile)}, and only that of ROS 2, ros2, is read'
            )
        return str(profile)

    def _open_without_end(self) -> None:
        """Scan the file up to its last complete record, instead of reading its index."""
        for each in (self.schemas, self.channels, self.chunks, self.connections):
            each.clear()
        self.bio.seek(len(_MAGIC) + 1)
        self.data_start = self.bio.seek(self._length(), io.SEEK_CUR)
        chunks = self._find_end()
        try:
            self.meta_scan()
        except (RecordingError, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - a damaged chunk may raise any exception
            # After a power loss, a chunk may have its length but not its content.  Read up to it.
            self._end_at(max(each for each in chunks if each < self.bio.tell()), 0)
            self.meta_scan()
        found = self.statistics
        self.connections = [
            each._replace(msgcount=found.channel_message_counts.get(each.id, 0))
            for each in self.connections
        ]
        if found.message_count:
            self.metadata = self.metadata._replace(
                duration=found.end_time + 1 - found.start_time,
                start_time=found.start_time,
                end_time=found.end_time + 1,
                message_count=found.message_count,
            )

    def _find_end(self) -> list[int]:
        """Set the end of the data after the last complete record; return the offsets of chunks."""
        size = self.path.stat().st_size
        chunks: list[int] = []
        begin = self.data_start
        while True:
            self.bio.seek(begin)
            head = self.bio.read(_RECORD_HEAD_BYTES)
            operation = head[0] if len(head) == _RECORD_HEAD_BYTES else 0
            if operation in {_FOOTER, _DATA_END}:
                self.data_end = begin
                self.bio.seek(-len(_MAGIC), io.SEEK_END)
                if self.bio.read() != _MAGIC:
                    self.loss = f'{self.path.name} ends without its index, and no message is lost'
                return chunks
            end = begin + _RECORD_HEAD_BYTES + int.from_bytes(head[1:], 'little')
            if operation not in _OPERATIONS or end > size:
                self._end_at(begin, end if operation in _OPERATIONS else 0)
                return chunks
            if operation == _CHUNK:
                chunks.append(begin)
            begin = end

    def _end_at(self, position: int, intended: int) -> None:
        """
        Set the end of the data, and the message about the loss.

        Args:
            position: end of the last complete record, bytes.
            intended: end that the next record would have if it were complete; 0 = unknown.
        """
        size = self.path.stat().st_size
        self.data_end = position = min(position, size)
        lost = max(size, intended if intended - position < _MOST_RECORD_BYTES else 0) - position
        if not lost:
            self.loss = f'{self.path.name} ends without its index: what came after it is lost'
            return
        self.loss = (
            f'{self.path.name} is cut off, as by a power loss: it was read up to byte {position} '
            f'of {size}, and at least {counted(lost, "byte", "bytes")} after it are lost'
        )

    def _length(self) -> int:
        return int.from_bytes(self.bio.read(8), 'little')
