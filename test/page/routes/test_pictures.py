# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Thumbnails over HTTP and DDS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from support.page_api import PageApi


def test_thumbnails_of_a_screen_arrive(page: PageApi) -> None:
    ids = page.teach('mug')['mug']
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda each: page.get(f'/api/pictures/samples/{each}.jpg'), ids))
    for picture in found:
        assert (picture.status, picture.headers['Content-Type']) == (200, 'image/jpeg')
        assert picture.body.startswith(b'\xff\xd8\xff')
        assert picture.headers['Cache-Control'] == 'private, max-age=60'


@pytest.mark.parametrize(
    'path',
    [
        'samples/1000000.jpg', 'samples/0.jpg', 'samples/9999999999999999999.jpg',
        'questions/1000000.jpg', 'samples/-1.jpg', 'samples/x.jpg', 'models/1.jpg',
        'samples/..%2f1.jpg',
    ],
)  # fmt: skip
def test_a_picture_that_is_not_there_is_not_found(page: PageApi, path: str) -> None:
    found = page.get(f'/api/pictures/{path}')
    assert found.status == 404
    assert found.json['message']
