# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from types import SimpleNamespace

from edgetpu_retrain.errors import ImageError, RequestError
from edgetpu_retrain.pictures.region import Region
import numpy as np
import pytest

PICTURE = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)


def message(x: int, y: int, width: int, height: int, *, rectify: bool = False) -> SimpleNamespace:
    return SimpleNamespace(x_offset=x, y_offset=y, width=width, height=height, do_rectify=rectify)


def test_all_zero_is_no_region() -> None:
    assert Region.from_message(message(0, 0, 0, 0)) is None
    assert Region.from_message(message(1, 2, 3, 4)) == Region(1, 2, 3, 4)


@pytest.mark.parametrize('values', [(), (1, 2, 3), (0, 0, 0, 0, 0)])
def test_a_region_has_four_numbers(values: tuple[int, ...]) -> None:
    with pytest.raises(RequestError, match=rf'has {len(values)} numbers: give it x, y, width'):
        Region.from_values(values)


@pytest.mark.parametrize(
    ('edges', 'expected'),
    [
        ((1.0, 2.0, 4.0, 5.0), Region(1, 2, 3, 3)),
        ((0.9999, 2.0001, 4.0001, 4.9999), Region(1, 2, 3, 3)),
        ((-3.0, -1e300, 2.0, 1.0), Region(0, 0, 2, 1)),
        ((6.0, 5.0, 9.0, 1e300), Region(6, 5, 2, 1)),
        ((8.0, 0.0, 9.0, 6.0), None),
        ((-5.0, 0.0, 0.0, 6.0), None),
        ((3.0, 0.0, 3.0, 6.0), None),
        ((4.0, 0.0, 3.0, 6.0), None),
        ((math.nan, 0.0, 3.0, 6.0), None),
        ((0.0, 0.0, math.inf, 6.0), None),
    ],
)
def test_the_pixels_between_edges_end_with_the_image(
    edges: tuple[float, float, float, float], expected: Region | None
) -> None:
    assert Region.enclosing(*edges, width=8, height=6) == expected


@pytest.mark.parametrize('fields', [(1, 0, 0, 0), (0, 0, 3, 0), (0, 0, 0, 3)])
def test_a_region_without_a_size_is_rejected(fields: tuple[int, int, int, int]) -> None:
    with pytest.raises(RequestError, match='is impossible: give it a width and a height'):
        Region.from_message(message(*fields))


def test_rectification_is_rejected() -> None:
    with pytest.raises(RequestError, match='image_proc'):
        Region.from_message(message(0, 0, 0, 0, rectify=True))


def test_the_cut_shares_the_pixels() -> None:
    cut = Region(2, 1, 6, 5).cut(PICTURE)
    np.testing.assert_array_equal(cut, PICTURE[1:6, 2:8])
    assert np.shares_memory(cut, PICTURE)


@pytest.mark.parametrize('region', [Region(3, 0, 6, 1), Region(0, 2, 1, 5), Region(9, 9, 1, 1)])
def test_a_region_that_reaches_beyond_is_rejected(region: Region) -> None:
    with pytest.raises(ImageError, match=r'reaches beyond the image of 8x6 pixels'):
        region.cut(PICTURE)


@pytest.mark.parametrize(
    ('factor', 'expected'),
    [(1, (3, 5, 10, 7)), (2, (1, 2, 6, 4)), (4, (0, 1, 4, 2)), (8, (0, 0, 2, 2))],
)
def test_a_reduced_region_covers_the_region(
    factor: int, expected: tuple[int, int, int, int]
) -> None:
    assert Region(3, 5, 10, 7).reduced(factor) == Region(*expected)
