# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.node.cameras.delivery_watch import DeliveryWatch
import pytest


@pytest.fixture
def watch() -> DeliveryWatch:
    return DeliveryWatch('front', '/camera/image_raw', fast_dds=True)


def check(watch: DeliveryWatch, now: float, publishers: int = 1, *, reliable: bool = False) -> str:
    return watch.check(publishers, now, reliable=reliable)


def arrive(watch: DeliveryWatch, numbers: range, begin: float = 0.0) -> float:
    """Receive images of these numbers from a camera of 10 Hz, and return the time."""
    for number in numbers:
        now = begin + 0.1 * number
        watch.image_arrived(now, number, now)
    return now


def test_a_matched_publisher_without_images_is_reported(watch: DeliveryWatch) -> None:
    assert check(watch, 10.0) == ''
    assert check(watch, 13.0) == ''
    sentence = check(watch, 13.9)
    for words in ('front', '/camera/image_raw', '4 s', '512 KiB', 'fastdds_large_images.xml'):
        assert words in sentence
    assert check(watch, 16.0) == sentence


def test_without_a_publisher_there_is_no_silence(watch: DeliveryWatch) -> None:
    assert [check(watch, at, publishers=0) for at in (0.0, 10.0, 20.0)] == [''] * 3
    assert check(watch, 21.0) == '', 'the time begins with the publisher'
    assert check(watch, 26.0)


def test_an_image_ends_a_silence(watch: DeliveryWatch) -> None:
    for at in range(20):
        watch.image_arrived(float(at), None, float(at))
        assert check(watch, at + 0.5) == ''
    assert check(watch, 23.1)
    watch.image_arrived(30.0, None, 30.0)
    assert check(watch, 31.0) == ''
    assert check(watch, 35.0)


def test_the_time_starts_again_with_a_new_publisher(watch: DeliveryWatch) -> None:
    check(watch, 0.0)
    assert check(watch, 5.0)
    check(watch, 6.0, publishers=0)
    assert check(watch, 7.0) == ''
    assert check(watch, 12.0)


@pytest.mark.parametrize(('fast_dds', 'reliable'), [(False, False), (True, True)])
def test_best_effort_with_fast_dds_is_not_blamed_for_others(
    fast_dds: bool, reliable: bool
) -> None:
    watch = DeliveryWatch('front', '/image', fast_dds=fast_dds)
    check(watch, 0.0, reliable=reliable)
    assert 'DDS' not in check(watch, 5.0, reliable=reliable)
    watch = DeliveryWatch('front', '/image', fast_dds=fast_dds)
    check(watch, 0.0, reliable=reliable)
    sentence = check(watch, arrive(watch, range(1, 60, 2)), reliable=reliable)
    assert 'lost' in sentence
    assert 'best-effort' not in sentence
    assert 'lower the resolution' in sentence
    # A larger segment also helps reliable images.
    assert ('fastdds_large_images.xml' in sentence) == fast_dds


def test_lost_images_are_reported_with_a_cure(watch: DeliveryWatch) -> None:
    check(watch, 0.0)
    sentence = check(watch, arrive(watch, range(1, 60, 3)))
    for words in ("'front'", 'more than 50%', '/camera/image_raw', '512 KiB', 'reliably'):
        assert words in sentence
    assert watch.loss(5.8) == pytest.approx(0.667, abs=0.03)


def test_the_sentence_stays_while_the_share_is_about_the_same(watch: DeliveryWatch) -> None:
    check(watch, 0.0)
    now = arrive(watch, range(1, 60, 3))
    assert check(watch, now) == check(watch, now + 0.5)


def test_a_complete_stream_is_no_problem(watch: DeliveryWatch) -> None:
    check(watch, 0.0)
    assert check(watch, arrive(watch, range(1, 100))) == ''
    assert watch.loss(9.9) == 0.0


def test_numbers_of_several_publishers_are_not_mixed(watch: DeliveryWatch) -> None:
    check(watch, 0.0, publishers=2)
    for number in range(1, 60):
        now = 0.1 * number
        watch.image_arrived(now, number if number % 2 else 1000 + number, now)
    assert check(watch, now, publishers=2) == ''


def test_images_that_arrive_before_their_publisher_is_counted_are_used(
    watch: DeliveryWatch,
) -> None:
    check(watch, 0.0, publishers=0)
    now = arrive(watch, range(1, 12, 3))
    assert 'are lost on the way' in check(watch, now)


def test_a_new_publisher_starts_without_a_loss(watch: DeliveryWatch) -> None:
    check(watch, 0.0)
    now = arrive(watch, range(1, 60, 3))
    assert check(watch, now)
    assert check(watch, now, publishers=2) == ''
