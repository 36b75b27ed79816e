# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ImageBag: reads the images of one topic of a rosbag2 bag (mcap or sqlite3), one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
import functools
import math
from pathlib import Path
from typing import Any, NamedTuple

from edgetpu_retrain.errors import ImageError, RecordingError, RequestError
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.pictures.unsupported import unsupported_type
from edgetpu_retrain.recordings.hostile_bag import check_bag
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture

FILE_SUFFIXES = ('.mcap', '.db3')

_METADATA = 'metadata.yaml'
_NANOSECONDS = 1_000_000_000
# Times and message counts are signed 64-bit numbers; an empty bag starts at the largest one.
_LARGEST_COUNT = 2**63

_PICTURES: Mapping[str, Callable[[Any, PictureSource | None], LazyPicture]] = {
    'sensor_msgs/msg/Image': LazyPicture.from_image,
    'sensor_msgs/msg/CompressedImage': LazyPicture.from_compressed_image,
}


def is_bag(path: Path) -> bool:
    """Return whether a path is a folder with metadata.yaml, or an .mcap, .db3 or .bag file."""
    if path.is_dir():
        return (path / _METADATA).is_file()
    return path.suffix in (*FILE_SUFFIXES, '.bag')


@dataclass(frozen=True)
class BagPart:
    """
    A selection of images of a bag.

    Args:
        topic: the topic of the images.
        from_s: start of the selection, seconds from the start of the bag.
        to_s: end of the selection (exclusive), seconds from the start of the bag.
        every_s: minimum interval between images, seconds.

    Raises:
        RequestError: if the times are invalid.
    """

    topic: str
    from_s: float = 0.0
    to_s: float = math.inf
    every_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ('from_s', 'every_s'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise RequestError(f'{name[:-2]} is {value} s: it must be 0 or more')
        if not self.to_s > self.from_s:
            raise RequestError(
                f'the part from {self.from_s:g} s to {self.to_s:g} s is empty: let it end after '
                'it begins'
            )


class RecordedMessage(NamedTuple):
    """A recorded message, serialized."""

    seconds: float
    """Time since the start of the bag."""
    message_type: str
    """Type of the message, such as 'sensor_msgs/msg/Image'."""
    content: bytes
    """The serialized message (CDR), including header and stamp."""


class ImageBag(AbstractContextManager['ImageBag']):
    """
    The images of one topic of a bag; use it as a context manager.

    Args:
        path: a folder written by `ros2 bag record`, or one storage file.
        part: the selected images.
        label: the label of all images, '' = none.
        source: how the images are read; None = with the defaults.

    Raises:
        RequestError: if there is no such bag or topic, the topic has no images, or the part begins
            after the end of the bag.
        RecordingError: if the bag cannot be read.
    """

    def __init__(
        self, path: Path, part: BagPart, label: str = '', source: PictureSource | None = None
    ) -> None:
        self._path = path
        self._part = part
        self._label = label
        self._source = source
        self._reader = _open(path)
        try:
            self._connections = self._find_topic()
        except BaseException:
            self.close()
            raise
        from rosbags.typesys import get_typestore, Stores

        # Both message types are the same in every ROS 2 distribution.
        self._typestore = get_typestore(Stores.ROS2_HUMBLE)

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """Return the number of images on the topic, regardless of the part."""
        return sum(connection.msgcount for connection in self._connections)

    def __iter__(self) -> Iterator[RecordedPicture]:
        """
        Iterate over the images in recorded order.

        Raises:
            RecordingError: on reaching a damaged part of the bag.
        """
        return map(self._picture, self.messages())

    @property
    def message_type(self) -> str:
        """Type of the topic's messages, such as 'sensor_msgs/msg/Image'."""
        return str(self._connections[0].msgtype)

    def messages(self) -> Iterator[RecordedMessage]:
        """
        Iterate over the serialized messages, to publish them again.

        Raises:
            RecordingError: on reaching a damaged part of the bag.
        """
        part, begin = self._part, self._reader.start_time
        start = begin + round(part.from_s * _NANOSECONDS) if part.from_s else None
        stop = None if part.to_s == math.inf else begin + round(part.to_s * _NANOSECONDS)
        due = -math.inf
        done = 0
        try:
            for connection, timestamp, content in self._reader.messages(
                connections=self._connections, start=start, stop=stop
            ):
                done += 1
                seconds = (timestamp - begin) / _NANOSECONDS
                if seconds >= due:
                    due = seconds + part.every_s
                    yield RecordedMessage(seconds, connection.msgtype, bytes(content))
        except Exception as error:
            _check_memory(error)
            raise RecordingError(
                f'{self._path} is damaged after {done} images ({_words(error)}); those before '
                "are read: repair it with 'ros2 bag reindex', or record again"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def _picture(self, recorded: RecordedMessage) -> RecordedPicture:
        topic = self._part.topic
        name = f'{self._path} {topic} at {recorded.seconds:.3f} s'
        try:
            message = self._typestore.deserialize_cdr(recorded.content, recorded.message_type)
            stamp = message.header.stamp
            stamp_ns = int(stamp.sec) * _NANOSECONDS + int(stamp.nanosec)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a damaged message may raise any exception
            reason = f'the message is damaged ({_words(error)})'
            return RecordedPicture(name, functools.partial(_refuse, reason), self._label, topic)
        read = functools.partial(_PICTURES[recorded.message_type], message, self._source)
        return RecordedPicture(name, read, self._label, topic, stamp_ns)

    def _find_topic(self) -> list[Any]:
        """Return the topic's connections; raise if it has no images or the part begins late."""
        topic, duration = self._part.topic, self._reader.duration / _NANOSECONDS
        connections = [each for each in self._reader.connections if each.topic == topic]
        types = sorted({each.msgtype for each in connections})
        problem = ''
        if not connections:
            what = f'has no topic {topic!a}' if topic else 'is a bag, and no topic was given'
            problem = f'{self._path} {what}'
        elif any(each not in _PICTURES for each in types):
            videos = '; '.join(filter(None, map(unsupported_type, types)))
            what = f'which is {videos}' if videos else 'which holds no picture'
            problem = f'{topic} in {self._path} is of type {", ".join(types)}, {what}'
        elif not any(each.msgcount for each in connections):
            problem = f'{topic} in {self._path} has no message'
        if problem:
            raise RequestError(f'{problem}: choose {self._other_topics()}')
        if self._part.from_s > duration:
            raise RequestError(
                f'from is {self._part.from_s:g} s, and {self._path} is {duration:.1f} s long: '
                'begin earlier'
            )
        return connections

    def _other_topics(self) -> str:
        """Return the available topics, for the error message."""
        topics = {
            f'{each.topic} ({each.msgtype})': each.msgtype in _PICTURES
            for each in self._reader.connections
        }
        pictures = sorted(topic for topic, has_pictures in topics.items() if has_pictures)
        if pictures:
            return f'one of its topics of pictures, {", ".join(pictures)}'
        if topics:
            return f'another bag, as this one has no pictures, only {", ".join(sorted(topics))}'
        return 'another bag, as this one has no topics at all'


def picture_topics(path: Path) -> tuple[str, ...]:
    """
    Return the image topics of a bag, in alphabetical order.

    Args:
        path: as for :class:`ImageBag`.

    Raises:
        RequestError: if there is no such bag.
        RecordingError: if the bag cannot be read.
    """
    with closing(_open(path)) as reader:
        return tuple(
            sorted({each.topic for each in reader.connections if each.msgtype in _PICTURES})
        )


def _open(path: Path) -> Any:
    """Return an open reader of a bag, from the library rosbags."""
    if not path.exists():
        raise RequestError(f'there is no bag {path}: check the path')
    if path.suffix == '.bag':
        raise RequestError(f"{path} is a bag of ROS 1: convert it with 'rosbags-convert' first")
    try:
        from edgetpu_retrain.recordings.bag_reader import BagReader
    except ImportError as error:
        raise RecordingError(
            f"bags are read with the Python package 'rosbags', which is not there ({error}): "
            'python3 -m pip install rosbags, or, on a robot, make setup'
        ) from error
    reader = None
    try:
        check_bag(path)
        reader = BagReader(path)
        reader.open()
        _check_summary(reader)
    except RecordingError:
        raise
    except Exception as error:
        if reader is not None:
            with suppress(Exception):
                reader.close()
        _check_memory(error)
        raise RecordingError(
            f'{path} cannot be read as a bag ({_words(error)}): give the folder that '
            "'ros2 bag record' made; one whose recording was cut short is repaired by "
            "'ros2 bag reindex'"
        ) from error
    return reader


def _check_summary(reader: Any) -> None:
    """Raise ValueError if the bag's metadata has values of unexpected types or ranges."""
    counts = {'start time': reader.start_time, 'duration': reader.duration}
    for each in reader.connections:
        counts['number of messages'] = each.msgcount
        if not isinstance(each.topic, str) or not isinstance(each.msgtype, str):
            raise ValueError(f'a topic is called {each.topic!a:.60}')
        for name, count in counts.items():
            if type(count) is not int or not 0 <= count < _LARGEST_COUNT:
                raise ValueError(f'its {name} is {count!a:.60}')


def _refuse(reason: str) -> LazyPicture:
    raise ImageError(reason)


def _words(error: Exception) -> str:
    return ' '.join(str(error).split())[:200] or type(error).__name__


def _check_memory(error: Exception) -> None:
    """Raise MemoryError if that is what an exception means."""
    # rosbags can read sqlite3 storage by apsw, whose exception has SQLite's message.
    if isinstance(error, MemoryError) or str(error) == 'out of memory':
        raise MemoryError from error
