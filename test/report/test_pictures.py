# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Stored pictures on the page."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
import sqlite3
import struct

import cv2
from edgetpu_retrain.report.pictures import data_url, LONGEST_SIDE, picture_urls
import numpy as np
import pytest

Teach = Callable[..., list[int]]


def test_pictures_are_made_small_and_come_as_addresses(
    data_dir: Path, teach: Teach, jpeg: bytes
) -> None:
    (with_picture,) = teach('cup', 1, looks_like=0, image=jpeg)
    (without,) = teach('hat', 1, looks_like=1)
    found = picture_urls(data_dir, [with_picture, without, 999])
    assert list(found) == [with_picture]
    kind, _, content = found[with_picture].partition(',')
    assert kind == 'data:image/jpeg;base64'
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (round(LONGEST_SIDE * 3 / 4), LONGEST_SIDE, 3)


def test_a_damaged_picture_is_none(data_dir: Path, teach: Teach) -> None:
    (damaged,) = teach('cup', 1, looks_like=0, image=b'\xff\xd8\xff and nothing more')
    assert picture_urls(data_dir, [damaged]) == {}


@pytest.mark.parametrize(
    'image',
    [
        b'RIFF\x1a\x00\x00\x00WEBPVP8L',
        b'GIF89a',
        b'\x89PNG\r\n\x1a\n' + struct.pack('>I4sII', 13, b'IHDR', 60_000, 60_000),
    ],
    ids=['WebP', 'GIF', 'absurdly large'],
)
def test_unexpected_stored_files_never_reach_a_decoder(
    image: bytes, data_dir: Path, teach: Teach, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (planted,) = teach('cup', 1, looks_like=0, image=jpeg)
    with closing(sqlite3.connect(data_dir / 'samples.db')) as connection, connection:
        connection.execute('UPDATE images SET jpeg = ?', (image,))
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('it was decoded'))
    assert picture_urls(data_dir, [planted]) == {}


def test_a_data_url_contains_the_bytes() -> None:
    assert data_url(b'hi', 'text/plain') == 'data:text/plain;base64,aGk='
