# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Stored pictures of samples, reduced to embed them in the page."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.compressed_image import decode_picture
from edgetpu_retrain.store.files.data_folder import SAMPLES_FILE
from edgetpu_retrain.store.samples.sample_store import SampleStore

LONGEST_SIDE = 180
"""Pixels; a card displays it at about two thirds of that, so it is sharp on phones too."""

_QUALITY = 80


def picture_urls(folder: Path, ids: Iterable[int]) -> dict[int, str]:
    """
    Read pictures of samples.

    Args:
        folder: the data folder.
        ids: the samples' ids.

    Returns:
        ``data:`` URLs of JPEG files by id, without samples that have no picture, were removed
        meanwhile or cannot be read.

    Raises:
        StoreError: if the samples cannot be read.
    """
    found: dict[int, str] = {}
    with SampleStore(folder / SAMPLES_FILE) as store:
        for number in sorted(set(ids)):
            stored = store.picture(number)
            small = None if stored is None else _small(stored.jpeg)
            if small is not None:
                found[number] = data_url(small, 'image/jpeg')
    return found


def data_url(content: bytes, kind: str) -> str:
    """Return a file as a ``data:`` URL (RFC 2397)."""
    return f'data:{kind};base64,{base64.b64encode(content).decode("ascii")}'


def _small(jpeg: bytes) -> bytes | None:
    """Return a reduced picture, or None if it cannot be read."""
    try:
        picture = cv2.cvtColor(decode_picture(jpeg), cv2.COLOR_RGB2BGR)
        height, width = picture.shape[:2]
        scale = LONGEST_SIDE / max(height, width)
        if scale < 1.0:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        written, content = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    except (ImageError, cv2.error):
        return None
    return bytes(content.tobytes()) if written else None
