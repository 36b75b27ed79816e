# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
from __future__ import annotations

from types import SimpleNamespace

from edgetpu_retrain.errors import ImageError, RequestError
from edgetpu_retrain.node.region import Region
import numpy as np
import pytest

PICTURE = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)


def message(x: int, y: int, width: int, height: int, *, rectify: bool = False) -> SimpleNamespace:
    return SimpleNamespace(x_offset=x, y_offset=y, width=width, height=height, do_rectify=rectify)


def test_all_zero_is_no_region() -> None:
    assert Region.from_message(message(0, 0, 0, 0)) is None
    assert Region.from_message(message(1, 2, 3, 4)) == Region(1, 2, 3, 4)


@pytest.mark.parametrize('fields', [(1, 0, 0, 0), (0, 0, 3, 0), (0, 0, 0, 3)])
def test_a_region_without_a_size_is_refused(fields: tuple[int, int, int, int]) -> None:
    with pytest.raises(RequestError, match='is impossible: give it a width and a height'):
        Region.from_message(message(*fields))


def test_rectification_is_refused() -> None:
    with pytest.raises(RequestError, match='image_proc'):
        Region.from_message(message(0, 0, 0, 0, rectify=True))


def test_the_cut_shares_the_pixels() -> None:
    cut = Region(2, 1, 6, 5).cut(PICTURE)
    np.testing.assert_array_equal(cut, PICTURE[1:6, 2:8])
    assert cut.base is not None


@pytest.mark.parametrize('region', [Region(3, 0, 6, 1), Region(0, 2, 1, 5), Region(9, 9, 1, 1)])
def test_a_region_that_reaches_beyond_is_refused(region: Region) -> None:
    with pytest.raises(ImageError, match=r'reaches beyond the image of 8x6 pixels'):
        region.cut(PICTURE)
