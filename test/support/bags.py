# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags and folders of real photographs, written with the `rosbags` library."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
from edgetpu_retrain.demo.scenes import play, teaching_scene
from edgetpu_retrain.pictures.pixels import RgbArray
import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

STORAGES = ('mcap', 'sqlite3')
SECOND = 1_000_000_000
BEGIN = 1_700_000_000 * SECOND
TYPES = get_typestore(Stores.ROS2_HUMBLE)


def photographs(subject: str, count: int, seed: int = 0) -> list[RgbArray]:
    """Return different views of a packaged photograph."""
    scene = play(teaching_scene(subject), seed=seed)
    return [np.ascontiguousarray(frame.picture) for frame in islice(scene, count)]


def png(rgb: RgbArray) -> bytes:
    """Return a picture as a PNG file, which is lossless."""
    return bytes(cv2.imencode('.png', rgb[:, :, ::-1])[1].tobytes())


def write_class_folders(folder: Path, subjects: Iterable[str], count: int, seed: int = 0) -> Path:
    """Write views of each subject to a sub-folder with its name, losslessly."""
    for subject in subjects:
        (folder / subject).mkdir(parents=True)
        for index, rgb in enumerate(photographs(subject, count, seed)):
            (folder / subject / f'{index:03d}.png').write_bytes(png(rgb))
    return folder


def image(rgb: RgbArray, stamp_ns: int = BEGIN) -> Any:
    """Return a sensor_msgs/Image with encoding bgr8, like that of most cameras."""
    height, width = rgb.shape[:2]
    data = np.ascontiguousarray(rgb[:, :, ::-1]).reshape(-1)
    message = TYPES.types['sensor_msgs/msg/Image']
    return message(header(stamp_ns), height, width, 'bgr8', 0, 3 * width, data)


def compressed_image(content: bytes, stamp_ns: int = BEGIN) -> Any:
    """Return a sensor_msgs/CompressedImage."""
    message = TYPES.types['sensor_msgs/msg/CompressedImage']
    return message(header(stamp_ns), 'png', np.frombuffer(content, np.uint8))


def text(words: str) -> Any:
    """Return a std_msgs/String."""
    return TYPES.types['std_msgs/msg/String'](words)


def header(stamp_ns: int) -> Any:
    """Return a std_msgs/Header."""
    stamp = TYPES.types['builtin_interfaces/msg/Time'](stamp_ns // SECOND, stamp_ns % SECOND)
    return TYPES.types['std_msgs/msg/Header'](stamp, 'camera_frame')


def write_bag(
    path: Path,
    storage: str,
    topics: dict[str, list[Any]],
    every_s: float = 0.1,
    compression: str = 'none',
    begin_s: float = 0.0,
) -> Path:
    """
    Write a bag.

    Args:
        path: folder to create.
        storage: one of :data:`STORAGES`.
        topics: name of a topic to its messages; bytes are serialized messages.
        every_s: seconds from one message of a topic to the next.
        begin_s: when the first message was recorded, seconds after :data:`BEGIN`.
        compression: 'none', 'file', 'message' or, for mcap only, 'storage' (its chunks).
    """
    plugin = StoragePlugin.MCAP if storage == 'mcap' else StoragePlugin.SQLITE3
    writer = Writer(path, version=9, storage_plugin=plugin)
    if compression != 'none':
        writer.set_compression(CompressionMode[compression.upper()], CompressionFormat.ZSTD)
    with writer:
        for topic, messages in topics.items():
            message_type = next(
                each for each in messages if not isinstance(each, bytes)
            ).__msgtype__
            connection = writer.add_connection(topic, message_type, typestore=TYPES)
            for index, message in enumerate(messages):
                raw = message
                if not isinstance(message, bytes):
                    raw = TYPES.serialize_cdr(message, message_type)
                writer.write(connection, BEGIN + round((begin_s + index * every_s) * SECOND), raw)
    return path
