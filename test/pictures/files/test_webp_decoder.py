# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.compressed_image import decode_picture
from edgetpu_retrain.pictures.files import webp_decoder
import numpy as np
import pytest

BUNDLED = '  Media I/O:\n    WEBP:                        build (ver encoder: 0x020f)\n'
OF_UBUNTU = '    WEBP:       /usr/lib/x86_64-linux-gnu/libwebp.so (ver encoder: 0x020f)\n'


@pytest.mark.parametrize(
    ('version', 'build', 'is_safe'),
    [
        ('4.6.0', BUNDLED, False),
        ('4.8.0', BUNDLED, False),
        ('4.8.1', BUNDLED, True),
        ('4.10.0-dev', BUNDLED, True),
        ('5.0.0', BUNDLED, True),
        ('4.5.4', OF_UBUNTU, True),
    ],
)
def test_an_opencv_with_the_vulnerable_decoder_is_known(
    version: str, build: str, *, is_safe: bool
) -> None:
    assert webp_decoder.opencv_is_safe(version, build) is is_safe


@pytest.mark.parametrize('size', [(1, 1), (48, 64)])
@pytest.mark.parametrize('channels', [3, 4])
@pytest.mark.parametrize('quality', [80, 101])
def test_both_decoders_give_the_same_pixels(
    size: tuple[int, int], channels: int, quality: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    smooth = np.linspace(0, 250, np.prod(size) * channels).reshape(*size, channels)
    options = [cv2.IMWRITE_WEBP_QUALITY, quality]
    content = cv2.imencode('.webp', smooth.astype(np.uint8), options)[1].tobytes()
    pictures = []
    for is_safe in (True, False):
        monkeypatch.setattr(webp_decoder, '_OPENCV_IS_SAFE', is_safe)
        pictures.append(webp_decoder.decode_webp(content))
    first, second = pictures
    assert first is not None
    assert second is not None
    assert first.shape == (*size, channels)
    np.testing.assert_array_equal(first, second)


def test_without_a_safe_decoder_a_file_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webp_decoder, '_OPENCV_IS_SAFE', False)
    monkeypatch.setitem(sys.modules, 'PIL', None)
    content = cv2.imencode('.webp', np.zeros((4, 4, 3), np.uint8))[1].tobytes()
    with pytest.raises(ImageError, match='CVE-2023-4863 in it: install Pillow, or opencv-python'):
        decode_picture(content)


@pytest.mark.parametrize('is_safe', [True, False])
def test_damaged_pixels_are_rejected(monkeypatch: pytest.MonkeyPatch, *, is_safe: bool) -> None:
    monkeypatch.setattr(webp_decoder, '_OPENCV_IS_SAFE', is_safe)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    options = [cv2.IMWRITE_WEBP_QUALITY, 80]
    content = bytearray(cv2.imencode('.webp', noise, options)[1].tobytes())
    # The partition sizes of the frame.
    content[20:23] = b'\xff\xff\xff'
    content[20] &= 0xFE
    with pytest.raises(ImageError, match='damaged'):
        decode_picture(bytes(content))
