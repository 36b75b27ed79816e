# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Encodings that only cv_bridge knows; a module stands in for it, as it is not on PyPI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import sys
from types import SimpleNamespace

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.cv_bridge_conversion import has_cv_bridge
from edgetpu_retrain.pictures.image_conversion import check_image, image_to_rgb
import numpy as np
import pytest

HEIGHT = 4

STAND_IN_FOR_CV_BRIDGE = """
import numpy as np

class CvBridge:
    def imgmsg_to_cv2(self, message, desired_encoding='passthrough'):
        assert desired_encoding == 'rgb8'
        if message.encoding == 'vendor16':
            return np.zeros((message.height, message.width), np.uint16)
        if message.encoding != 'vendor8':
            raise RuntimeError('Unrecognized image encoding [%s]' % message.encoding)
        shape = message.height, message.width, 3
        return np.frombuffer(message.data, np.uint8).reshape(shape)
"""


def message_of(encoding: str, step: int, data: bytes) -> SimpleNamespace:
    return SimpleNamespace(
        height=HEIGHT, width=6, encoding=encoding, is_bigendian=0, step=step, data=data
    )


@pytest.fixture
def cv_bridge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    (tmp_path / 'cv_bridge.py').write_text(STAND_IN_FOR_CV_BRIDGE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'cv_bridge', raising=False)
    has_cv_bridge.cache_clear()
    yield
    sys.modules.pop('cv_bridge', None)
    has_cv_bridge.cache_clear()


@pytest.mark.usefixtures('cv_bridge')
def test_an_encoding_that_is_not_listed_goes_through_cv_bridge() -> None:
    pixels = np.arange(HEIGHT * 6 * 3, dtype=np.uint8).reshape(HEIGHT, 6, 3)
    message = message_of('vendor8', 18, pixels.tobytes())
    check_image(message)
    np.testing.assert_array_equal(image_to_rgb(message), pixels)


@pytest.mark.usefixtures('cv_bridge')
@pytest.mark.parametrize(
    ('encoding', 'step', 'words'),
    [
        ('nv16', 18, r'none of rgb8.*\(cv_bridge: .*Unrecognized image encoding'),
        ('vendor16', 18, 'cv_bridge made uint16 numbers of shape'),
        ('vendor8', 5, 'step is 5'),
        ('x' * 33, 18, 'has more than 32 characters'),
        # cv_bridge is not asked about what is no picture.
        ('16UC1', 18, 'depth'),
    ],
)
def test_what_cv_bridge_cannot_convert_is_rejected(encoding: str, step: int, words: str) -> None:
    message = message_of(encoding, step, bytes(HEIGHT * 18))
    with pytest.raises(ImageError, match=words):
        image_to_rgb(message)
