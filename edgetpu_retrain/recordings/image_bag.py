# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ImageBag: reads the images of one topic of a rosbag2 bag (mcap or sqlite3), one at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
import functools
import math
from pathlib import Path
from typing import Any, NamedTuple, TYPE_CHECKING

from edgetpu_retrain.errors import ImageError, RecordingError, RequestError, RetrainError
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.pictures.unsupported import unsupported_type
from edgetpu_retrain.recordings.bag_files import check_memory, words_of
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture
from edgetpu_retrain.recordings.tally import Tally
from edgetpu_retrain.wording import named

if TYPE_CHECKING:
    from edgetpu_retrain.recordings.bag_reader import BagReader, Topic

_NANOSECONDS = 1_000_000_000
# Times in rosbag2 are signed 64-bit integers.
_LATEST_NS = 2**63

_SERIALIZATION = 'cdr'
_PICTURES: Mapping[str, Callable[[Any, PictureSource | None], LazyPicture]] = {
    'sensor_msgs/msg/Image': LazyPicture.from_image,
    'sensor_msgs/msg/CompressedImage': LazyPicture.from_compressed_image,
}


@dataclass(frozen=True)
class BagPart:
    """
    A selection of images of a bag.

    Args:
        topic: the topic of the images.
        from_s: start of the selection, seconds from the start of the bag.
        to_s: end of the selection (exclusive), seconds from the start of the bag; infinity = the
            end of the bag.
        every_s: minimum interval between selected images, seconds; 0 = no minimum.

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
    """A message of a bag, still serialized."""

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
        path: a folder written by `ros2 bag record`, with or without metadata.yaml, or one storage
            file, with or without compression.
        part: the topic, and which of its images are selected.
        label: the label of all images; '' = none.
        source: the options for decoding the images; None uses the defaults.

    Raises:
        RequestError: if the path does not exist or is a bag of ROS 1, if the topic does not exist
            or has no images, or if the part begins after the end of the bag.
        RecordingError: if the bag cannot be read.

    Attributes:
        tally: number of images found and left out; set at the end of an iteration.
        notes: problems with the files of the bag, as messages for the user.
    """

    def __init__(
        self, path: Path, part: BagPart, label: str = '', source: PictureSource | None = None
    ) -> None:
        self._path = path
        self._part = part
        self._label = label
        self._source = source
        self._reader = _open(path)
        self.tally = Tally()
        self.notes: tuple[str, ...] = tuple(self._reader.notes)
        try:
            self._topics = self._find_topic()
        except BaseException:
            self.close()
            raise
        from rosbags.typesys import get_typestore, Stores

        # Image and CompressedImage are the same in every ROS 2 distribution.
        self._typestore = get_typestore(Stores.ROS2_HUMBLE)

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """Return the number of images on the topic, whether selected or not."""
        return sum(self._reader.counts[each] for each in self._topics)

    def __iter__(self) -> Iterator[RecordedPicture]:
        """
        Iterate over the selected images.

        Raises:
            RecordingError: on reaching a damaged part of the bag.
        """
        return map(self._picture, self.messages())

    @property
    def message_type(self) -> str:
        """Type of the messages, or the first of several types, such as 'sensor_msgs/msg/Image'."""
        return str(self._topics[0].message_type)

    @property
    def recording(self) -> str:
        """Name of the recording: the absolute path of the bag and, if set, the time range."""
        part, path = self._part, str(self._path.resolve())
        if not part.from_s and part.to_s == math.inf:
            return path
        end = '' if part.to_s == math.inf else f'{part.to_s:.9g}'
        return f'{path} {part.from_s:.9g}-{end} s'

    @property
    def loss(self) -> str:
        """Message for the user about truncated files; '' = no file is truncated."""
        return self._reader.loss

    def messages(self) -> Iterator[RecordedMessage]:
        """
        Iterate over the selected messages, still serialized.

        Raises:
            RecordingError: on reaching a damaged part of the bag.
        """
        part, begin = self._part, self._reader.start_time
        start = begin + round(part.from_s * _NANOSECONDS) if part.from_s else None
        # No message has a later time, and SQLite has no larger numbers.
        is_open = begin + part.to_s * _NANOSECONDS >= _LATEST_NS
        stop = None if is_open else begin + round(part.to_s * _NANOSECONDS)
        due = -math.inf
        done = taken = 0
        try:
            for kind, timestamp, content in self._reader.messages(part.topic, start, stop):
                done += 1
                seconds = (timestamp - begin) / _NANOSECONDS
                # Without a minimum interval, times are not compared: a file without an index may
                # have messages out of order, and all of them are selected.
                if seconds >= due or not part.every_s:
                    due = seconds + part.every_s
                    taken += 1
                    yield RecordedMessage(seconds, kind, bytes(content))
        except Exception as error:
            check_memory(error)
            raise RecordingError(
                f'{self._path} is damaged after {done} images ({words_of(error)}); those before '
                f'are read: {self._reader.cure}'
            ) from error
        self._count(done, taken)

    def _count(self, done: int, taken: int) -> None:
        """Set the tally; of the images in the part, ``done`` were read and ``taken`` yielded."""
        stored = len(self)
        recorded = max(done, stored, self._reader.recorded(self._part.topic))
        selected = self._part.from_s > 0.0 or self._part.to_s < math.inf
        outside = max(0, stored - done) if selected else 0
        self.tally.found = recorded
        self.tally.left_out = Counter(
            {
                'before or after the selected part': outside,
                'between the selected images': done - taken,
                'not in the files': recorded - done - outside,
            }
        )

    def close(self) -> None:
        """Close the files of the bag."""
        self._reader.close()

    def _picture(self, recorded: RecordedMessage) -> RecordedPicture:
        label, topic, recording = self._label, self._part.topic, self.recording
        name = f'{self._path} {topic} at {recorded.seconds:.3f} s'
        try:
            message = self._typestore.deserialize_cdr(recorded.content, recorded.message_type)
            stamp = message.header.stamp
            stamp_ns = int(stamp.sec) * _NANOSECONDS + int(stamp.nanosec)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a damaged message may raise any exception
            reason = f'the message is damaged ({words_of(error)})'
            return RecordedPicture(name, functools.partial(_refuse, reason), label, topic)
        read = functools.partial(_PICTURES[recorded.message_type], message, self._source)
        return RecordedPicture(name, read, label, topic, stamp_ns, recording)

    def _find_topic(self) -> list[Topic]:
        """
        Return the topic, once for each type.

        Raises:
            RequestError: if the topic has no images that can be read, or if the part begins after
                the end of the bag.
        """
        topic, reader = self._part.topic, self._reader
        duration = (reader.end_time - 1 - reader.start_time) / _NANOSECONDS
        topics = [each for each in reader.counts if each.name == topic]
        types = sorted({each.message_type for each in topics})
        problem = ''
        if not topics:
            what = f'has no topic {topic!a}' if topic else 'is a bag, and no topic was given'
            problem = f'{self._path} {what}'
        elif any(each not in _PICTURES for each in types):
            videos = '; '.join(filter(None, map(unsupported_type, types)))
            what = f'which is {videos}' if videos else 'which holds no picture'
            problem = f'{topic} in {self._path} is of type {", ".join(types)}, {what}'
        elif others := sorted({each.serialization for each in topics} - {_SERIALIZATION}):
            what = f'is serialized as {named(others)}, and only {_SERIALIZATION} is read'
            problem = f'{topic} in {self._path} {what}'
        elif not any(reader.counts[each] for each in topics):
            problem = f'{topic} in {self._path} has no message'
        if problem:
            notes = '; '.join(filter(None, (*self.notes, self.loss)))
            raise RequestError(
                f'{problem}: choose {self._other_topics()}{notes and f" ({notes})"}'
            )
        if self._part.from_s > duration:
            raise RequestError(
                f'from is {self._part.from_s:g} s, and {self._path} is {duration:.1f} s long: '
                'begin earlier'
            )
        return topics

    def _other_topics(self) -> str:
        """Return advice for an error message: which topic to choose, or to choose another bag."""
        topics = {
            f'{each.name} ({each.message_type})': _has_pictures(each)
            for each in self._reader.counts
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
        RequestError: if there is no such bag, or if it is a bag of ROS 1.
        RecordingError: if the bag cannot be read.
    """
    with _open(path) as reader:
        return tuple(sorted({each.name for each in reader.counts if _has_pictures(each)}))


def _has_pictures(topic: Topic) -> bool:
    return topic.message_type in _PICTURES and topic.serialization == _SERIALIZATION


def _open(path: Path) -> BagReader:
    """Open a bag; raise RequestError or RecordingError if that fails."""
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
    try:
        return BagReader(path)
    except RetrainError:
        raise
    except Exception as error:
        check_memory(error)
        raise RecordingError(
            f"{path} cannot be read as a bag ({words_of(error)}): give what 'ros2 bag record' made"
        ) from error


def _refuse(reason: str) -> LazyPicture:
    raise ImageError(reason)
