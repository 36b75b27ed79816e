# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.node.cameras.silence_watch import SilenceWatch
import pytest


@pytest.fixture
def watch() -> SilenceWatch:
    return SilenceWatch('front', '/camera/image_raw', fast_dds=True)


def test_a_matched_publisher_without_images_is_told_once(watch: SilenceWatch) -> None:
    assert watch.check(1, now=10.0) is None
    assert watch.check(1, now=14.9) is None
    sentence = watch.check(1, now=15.0)
    assert sentence is not None
    for words in ('front', '/camera/image_raw', '5 s', '512 KiB', 'fastdds_large_images.xml'):
        assert words in sentence
    assert watch.check(1, now=16.0) is None


def test_where_nobody_publishes_there_is_nothing_to_tell(watch: SilenceWatch) -> None:
    assert [watch.check(0, now=at) for at in (0.0, 10.0, 20.0)] == [None] * 3
    assert watch.check(1, now=21.0) is None, 'the five seconds begin with the publisher'
    assert watch.check(1, now=26.0) is not None


def test_images_keep_it_quiet_and_a_later_silence_is_told_again(watch: SilenceWatch) -> None:
    for at in range(20):
        watch.image_arrived(float(at))
        assert watch.check(1, now=at + 0.5) is None
    assert watch.check(1, now=24.1) is not None
    watch.image_arrived(30.0)
    assert watch.check(1, now=31.0) is None
    assert watch.check(1, now=35.0) is not None


def test_a_publisher_that_comes_back_gets_its_time(watch: SilenceWatch) -> None:
    watch.check(1, now=0.0)
    assert watch.check(1, now=5.0) is not None
    watch.check(0, now=6.0)
    assert watch.check(1, now=7.0) is None
    assert watch.check(1, now=12.0) is not None


def test_other_middleware_is_not_blamed_for_fast_dds() -> None:
    watch = SilenceWatch('front', '/image', fast_dds=False)
    watch.check(1, now=0.0)
    sentence = watch.check(1, now=5.0)
    assert sentence is not None
    assert 'DDS' not in sentence
