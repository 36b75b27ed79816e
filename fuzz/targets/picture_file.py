# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A JPEG, PNG or WEBP file in a folder of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgetpu_retrain.pictures.compressed_image import (
    check_picture,
    MAX_PIXELS_A_BYTE,
    SMALL_PIXELS,
)
from edgetpu_retrain.recordings.picture_folder import files_of, plain_pictures
from fuzz.small_files import picture
from fuzz.target import each_of, MemoryBudget, MIB, Target


def _run(data: bytes, folder: Path) -> None:
    (folder / 'picture.jpg').write_bytes(data)
    each_of(
        lambda: check_picture(data),
        lambda: [each.read().whole for each in plain_pictures(files_of([folder]))],
        lambda: [each.read().for_model(2) for each in plain_pictures(files_of([folder]))],
    )


def _seeds() -> Iterator[bytes]:
    yield picture('.jpg')
    yield picture('.png')
    yield picture('.png', 4)
    yield picture('.webp')


# Eight bytes a pixel when decoded with 16 bits and alpha, four with 8 bits, and six without alpha.
TARGET = Target(
    run=_run,
    seeds=_seeds,
    max_bytes=4096,
    memory=MemoryBudget(2 * MIB + SMALL_PIXELS * 18, MAX_PIXELS_A_BYTE * 18),
)
