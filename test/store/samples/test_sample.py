# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.store.samples.sample import check_image, MAX_IMAGE_BYTES
import pytest

START = b'\xff\xd8\xff\xe0'


def test_a_jpeg_file_is_returned_unchanged() -> None:
    largest = START + bytes(MAX_IMAGE_BYTES - 4)
    assert check_image(largest) is largest


@pytest.mark.parametrize('image', [b'', b'\xff\xd8', b'\x89PNG\r\n\x1a\n', b'not a picture'])
def test_other_files_than_jpeg_are_rejected(image: bytes) -> None:
    with pytest.raises(ValueError, match=r'image begins with b.*; it must be a JPEG file'):
        check_image(image)


def test_a_picture_that_would_fill_the_disk_is_rejected() -> None:
    with pytest.raises(RequestError, match=f'has {MAX_IMAGE_BYTES + 1} bytes'):
        check_image(START + bytes(MAX_IMAGE_BYTES - 3))
