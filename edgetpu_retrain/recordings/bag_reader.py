# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""BagReader: reads all storage files of an untrusted bag with the library rosbags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from edgetpu_retrain.errors import RecordingError
from edgetpu_retrain.recordings.bag_files import (
    check_memory,
    COMPRESSED,
    find_bag_files,
    words_of,
)
from edgetpu_retrain.recordings.hostile_bag import check_bag
from edgetpu_retrain.recordings.mcap_storage import McapStorage
from edgetpu_retrain.recordings.sqlite_storage import SqliteStorage
from edgetpu_retrain.recordings.unpacking import unpack, unpack_file, ZSTD_MAGIC

_STORAGES: Mapping[str, Any] = {'mcap': McapStorage, 'sqlite3': SqliteStorage}

# Times in rosbag2 are signed 64-bit integers.  Message counts get the same limit.
_LARGEST_COUNT = 2**63


class Topic(NamedTuple):
    """A topic of a bag; a topic with several message types is listed once for each type."""

    name: str
    message_type: str
    """Such as 'sensor_msgs/msg/Image'."""
    serialization: str
    """'cdr' for ROS 2."""


class BagReader(AbstractContextManager['BagReader']):
    """
    Reads a bag; use it as a context manager.

    Args:
        path: the folder of the bag, or one storage file.  The storage files and the messages may
            be compressed with zstd.

    Attributes:
        notes: problems with the files, as messages for the user.
        counts: number of messages of each topic in the storage files.

    Raises:
        RequestError: if there are no storage files.
        RecordingError: if the bag cannot be read.
        OSError: if a file cannot be read or unpacked.
    """

    def __init__(self, path: Path) -> None:
        check_bag(path)
        found = find_bag_files(path)
        self.notes = list(found.notes)
        self.counts: Counter[Topic] = Counter()
        self._recorded = found.counts
        self._storages: list[Any] = []
        with ExitStack() as stack:
            for file, kind in found.storages.items():
                self._add(file, kind, stack)
            self._close = stack.pop_all().close
        self._storages.sort(key=lambda each: each.metadata.start_time)
        filled = [each.metadata for each in self._storages if each.metadata.message_count]
        self.start_time: int = min((each.start_time for each in filled), default=0)
        """Time of the first message, nanoseconds since 1970; 0 = there are no messages."""
        self.end_time: int = max((each.end_time for each in filled), default=0)
        """Time of the last message plus 1, nanoseconds since 1970; 0 = there are no messages."""

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files, and delete the unpacked copies of compressed ones."""
        self._close()

    @property
    def loss(self) -> str:
        """Message for the user about truncated files; '' = no file is truncated."""
        losses = '; '.join(each.loss for each in self._storages if each.loss)
        return losses and f"{losses} ('mcap recover' makes a complete file of it)"

    @property
    def cure(self) -> str:
        """Message for the user: how to repair a damaged file."""
        return ', '.join(dict.fromkeys(each.cure for each in self._storages))

    def recorded(self, topic: str) -> int:
        """Return a topic's message count, from metadata.yaml or the files, whichever is larger."""
        stored = sum(count for each, count in self.counts.items() if each.name == topic)
        return max(stored, self._recorded.get(topic, 0))

    def messages(
        self, topic: str, start: int | None, stop: int | None
    ) -> Iterator[tuple[str, int, bytes]]:
        """
        Iterate over the messages of a topic.

        The files are read one after another, by start time.  The messages of each file are in the
        order of their times or, in an .mcap file without a complete index, in the order of the
        file.

        Args:
            topic: the name of the topic.
            start: start of the time range, nanoseconds since 1970; None = no limit.
            stop: end of the time range (exclusive), nanoseconds since 1970; None = no limit.

        Yields:
            The type of a message, its time in nanoseconds since 1970, and the serialized message.

        Raises:
            Exception: of any type, on reaching a damaged part of the bag.
        """
        for storage in self._storages:
            connections = [each for each in storage.connections if each.topic == topic]
            for connection, timestamp, content in storage.messages(connections, start, stop):
                packed = content[: len(ZSTD_MAGIC)] == ZSTD_MAGIC
                yield _type(connection.msgtype), timestamp, unpack(content) if packed else content

    def _add(self, file: Path, kind: str, stack: ExitStack) -> None:
        """Open a storage file, unpacking it if necessary, and count its messages."""
        if not file.stat().st_size:
            self.notes.append(f'{file} is empty: nothing was recorded into it')
            return
        plain = file
        if file.suffix == COMPRESSED:
            plain = Path(stack.enter_context(TemporaryDirectory())) / file.stem
            unpack_file(file, plain)
        storage = _STORAGES[kind](plain)
        try:
            storage.open()
            stack.callback(storage.close)
            self._count(storage)
        except RecordingError as error:
            raise RecordingError(f'{file} cannot be read as a bag: {error}') from error
        except Exception as error:
            check_memory(error)
            raise RecordingError(
                f'{file} cannot be read as a bag ({words_of(error)}): give what '
                f"'ros2 bag record' made; {storage.cure}"
            ) from error
        self._storages.append(storage)
        journal = file.with_name(f'{file.name}-wal')
        if journal.is_file() and journal.stat().st_size:
            self.notes.append(
                f'messages in {journal.name} are not read: end the recorder, then add them with '
                f'sqlite3 {file.name} "PRAGMA wal_checkpoint"'
            )

    def _count(self, storage: Any) -> None:
        """Add the message counts of a file; raise ValueError if its metadata is invalid."""
        metadata = storage.metadata
        counts = {'duration': metadata.duration}
        if metadata.message_count:
            counts['start time'] = metadata.start_time
        for each in storage.connections:
            counts['number of messages'] = each.msgcount
            form = each.ext.serialization_format
            if not all(isinstance(text, str) for text in (each.topic, each.msgtype, form)):
                raise ValueError(f'a topic is called {each.topic!a:.60}')
            for name, count in counts.items():
                if type(count) is not int or not 0 <= count < _LARGEST_COUNT:
                    raise ValueError(f'its {name} is {count!a:.60}')
            self.counts[Topic(each.topic, _type(each.msgtype), form)] += each.msgcount


def _type(name: str) -> str:
    """
    Return the full name of a message type; some programs leave out ``/msg``.

    >>> _type('sensor_msgs/Image'), _type('sensor_msgs/msg/Image')
    ('sensor_msgs/msg/Image', 'sensor_msgs/msg/Image')
    """
    return name.replace('/', '/msg/') if name.count('/') == 1 else name
