# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""An .mcap file, read as a bag."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from pathlib import Path

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.recordings.image_bag import BagPart, ImageBag, picture_topics
from fuzz.small_files import picture
from fuzz.target import each_of, MemoryBudget, MIB, scratch_folder, Target
import numpy as np
from support.bags import compressed_image, image, write_bag

TOPICS = ('/a', '/b')


def read_bag(path: Path) -> None:
    """Read all that a bag has, from its list of topics to the pixels."""
    each_of(lambda: picture_topics(path), *(lambda t=topic: _read(path, t) for topic in TOPICS))


def write_small_bag(folder: Path, storage: str) -> Path:
    """Write a bag of two topics with two pictures each."""
    rgb = np.zeros((2, 2, 3), np.uint8)
    topics = {
        '/a': [image(rgb), image(rgb)],
        '/b': [compressed_image(picture('.png')), compressed_image(b'none')],
    }
    return write_bag(folder / 'bag', storage, topics)


def _read(path: Path, topic: str) -> None:
    with ImageBag(path, BagPart(topic, every_s=0.05)) as bag:
        assert len(bag) >= 0
        for recorded in bag:
            with contextlib.suppress(ImageError):
                _ = recorded.read().whole


def _run(data: bytes, folder: Path) -> None:
    path = folder / 'bag.mcap'
    path.write_bytes(data)
    read_bag(path)


def _seeds() -> Iterator[bytes]:
    with scratch_folder() as folder:
        bag = write_small_bag(folder, 'mcap')
        content = next(bag.glob('*.mcap')).read_bytes()
        yield content
        # Cut off: in the index, and in the data.
        yield content[:-10]
        yield content[: content.index(b'/b')]


TARGET = Target(run=_run, seeds=_seeds, memory=MemoryBudget(8 * MIB, 8 * 1032 * 3 * 3))
