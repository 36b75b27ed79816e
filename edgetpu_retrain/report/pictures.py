# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the stored pictures of samples, and reduces them for the page of the report."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.compressed_image import check_memory, decode_picture
from edgetpu_retrain.pictures.sample_picture import jpeg_to_store, reduced
from edgetpu_retrain.store.files.data_folder import SAMPLES_FILE
from edgetpu_retrain.store.samples.sample_store import SampleStore

LONGEST_SIDE = 180
"""Maximum width and height, pixels: larger than on the page, for screens of high resolution."""


def picture_urls(folder: Path, ids: Iterable[int]) -> dict[int, str]:
    """
    Read the stored pictures of samples.

    Args:
        folder: the data folder.
        ids: the samples' ids.

    Returns:
        ``data:`` URLs of JPEG files by id.  Samples that have no readable picture, or have been
        removed, are left out.

    Raises:
        StoreError: if the samples cannot be read.
    """
    urls: dict[int, str] = {}
    with SampleStore(folder / SAMPLES_FILE) as store:
        for number in ids:
            stored = store.picture(number)
            small = _small(stored.jpeg) if stored else None
            if small:
                urls[number] = data_url(small, 'image/jpeg')
    return urls


def data_url(content: bytes, kind: str) -> str:
    """Return content of a media type, such as 'image/jpeg', as a ``data:`` URL (RFC 2397)."""
    return f'data:{kind};base64,{base64.b64encode(content).decode("ascii")}'


def _small(jpeg: bytes) -> bytes | None:
    """Return a picture reduced to LONGEST_SIDE as a JPEG file; None if it cannot be read."""
    try:
        return jpeg_to_store(reduced(decode_picture(jpeg), LONGEST_SIDE))
    except ImageError:
        return None
    except cv2.error as error:
        check_memory(error)
        return None
