# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The estimate of lost images, on streams that lose them and streams that do not."""

from __future__ import annotations

from collections.abc import Callable
import random

from edgetpu_retrain.node.cameras.frame_loss import FrameLoss, REPORTED_SHARE, WINDOW_S
import pytest

SECONDS = 20.0
Rate = Callable[[float], float]


class Stream:
    """
    What arrives of a camera, and the shares that are estimated meanwhile.

    Args:
        rate: frames per second at a time.
        loss: share of the images that do not arrive.
        jitter: standard deviation of the stamps, in periods.
        numbered: whether the middleware numbers the images.
        seed: of the losses and of the jitter.
    """

    def __init__(
        self, rate: Rate, loss: float, jitter: float, *, numbered: bool, seed: int
    ) -> None:
        chance = random.Random(seed)
        estimate = FrameLoss()
        now = 0.0
        number = 0
        self.shares: list[tuple[float, float]] = []
        while now < SECONDS:
            period = 1.0 / rate(now)
            now += period
            number += 1
            stamp = now + chance.gauss(0.0, jitter * period)
            if chance.random() >= loss:
                estimate.arrived(stamp, number if numbered else None, now)
            if now > 0.25 * len(self.shares):
                self.shares.append((now, estimate.share(now)))

    @property
    def reported(self) -> list[float]:
        """The times at which the share is a problem."""
        return [now for now, share in self.shares if share > REPORTED_SHARE]


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('numbered', [True, False])
@pytest.mark.parametrize('jitter', [0.0, 0.03, 0.08])
@pytest.mark.parametrize('rate', [10.0, 30.0])
def test_a_lossy_stream_is_reported_within_the_window(
    rate: float, jitter: float, numbered: bool, seed: int
) -> None:
    stream = Stream(lambda _: rate, 0.5, jitter, numbered=numbered, seed=seed)
    assert stream.reported[0] < WINDOW_S
    if numbered:
        assert all(0.25 < share < 0.75 for now, share in stream.shares if now > WINDOW_S)


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('numbered', [True, False])
@pytest.mark.parametrize('jitter', [0.0, 0.03, 0.08])
@pytest.mark.parametrize(
    'rate',
    [
        lambda _: 5.0,
        lambda _: 30.0,
        lambda now: 30.0 if now < 10.0 else 15.0,
        lambda now: 30.0 if now < 10.0 else 20.0,
        lambda now: 30.0 if now < 10.0 else 7.5,
        lambda now: 15.0 if now < 10.0 else 30.0,
        lambda now: 30.0 if int(now / 4) % 2 else 10.0,
        lambda now: 10.0 + now,
    ],
    ids=['5', '30', '30-15', '30-20', '30-7.5', '15-30', '30-10-30-10', 'faster'],
)
def test_a_stream_that_only_changes_its_rate_is_not(
    rate: Rate, jitter: float, numbered: bool, seed: int
) -> None:
    assert not Stream(rate, 0.0, jitter, numbered=numbered, seed=seed).reported


def test_a_triggered_camera_is_not_lossy() -> None:
    chance = random.Random(1)
    stream = Stream(lambda _: chance.uniform(1.0, 30.0), 0.0, 0.0, numbered=False, seed=1)
    assert not stream.reported


def test_steps_without_a_usual_one_say_nothing() -> None:
    # A stall in a stream that is stamped at receipt: no step is near the median of the short ones.
    estimate = FrameLoss()
    stamp = 0.0
    for step in [0.0, *[0.3] * 4, 0.7, 0.0125, 0.1875, *[0.3] * 4]:
        stamp += step
        estimate.arrived(stamp, None, stamp)
    assert estimate.share(stamp) == 0.0


def test_missing_numbers_are_counted_exactly() -> None:
    estimate = FrameLoss()
    for number in (1, 2, 4, 5, 6, 7, 8, 10, 11, 12):
        estimate.arrived(0.1 * number, number, 0.1 * number)
    assert estimate.share(1.2) == pytest.approx(2 / 11)


def test_the_loss_of_most_images_is_estimated() -> None:
    estimate = FrameLoss()
    for number in (1, 15, 40):
        estimate.arrived(0.1 * number, number, 0.1 * number)
    assert estimate.share(4.0) == pytest.approx(37 / 39)


def test_a_restarted_publisher_loses_nothing() -> None:
    estimate = FrameLoss()
    for count, number in enumerate([101, 102, 103, 104, 105, 1, 2, 3, 4, 5]):
        estimate.arrived(0.1 * count, number, 0.1 * count)
    assert estimate.share(1.0) == 0.0


def test_what_was_lost_before_is_forgotten() -> None:
    estimate = FrameLoss()
    for number in range(1, 40, 3):
        estimate.arrived(0.1 * number, number, 0.1 * number)
    assert estimate.share(4.0) > 0.5
    for number in range(40, 100):
        estimate.arrived(0.1 * number, number, 0.1 * number)
    assert estimate.share(10.0) == 0.0
    assert estimate.share(100.0) == 0.0
