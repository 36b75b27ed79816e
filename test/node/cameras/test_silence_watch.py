# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.node.cameras.silence_watch import SilenceWatch
import pytest


@pytest.fixture
def watch() -> SilenceWatch:
    return SilenceWatch('front', '/camera/image_raw', fast_dds=True)


def test_a_matched_publisher_without_images_is_reported(watch: SilenceWatch) -> None:
    assert watch.check(1, now=10.0) == ''
    assert watch.check(1, now=14.9) == ''
    sentence = watch.check(1, now=15.0)
    for words in ('front', '/camera/image_raw', '5 s', '512 KiB', 'fastdds_large_images.xml'):
        assert words in sentence
    assert watch.check(1, now=16.0) == sentence


def test_without_a_publisher_there_is_no_silence(watch: SilenceWatch) -> None:
    assert [watch.check(0, now=at) for at in (0.0, 10.0, 20.0)] == [''] * 3
    assert watch.check(1, now=21.0) == '', 'the five seconds begin with the publisher'
    assert watch.check(1, now=26.0)


def test_an_image_ends_a_silence(watch: SilenceWatch) -> None:
    for at in range(20):
        watch.image_arrived(float(at))
        assert watch.check(1, now=at + 0.5) == ''
    assert watch.check(1, now=24.1)
    watch.image_arrived(30.0)
    assert watch.check(1, now=31.0) == ''
    assert watch.check(1, now=35.0)


def test_the_time_starts_again_with_a_new_publisher(watch: SilenceWatch) -> None:
    watch.check(1, now=0.0)
    assert watch.check(1, now=5.0)
    watch.check(0, now=6.0)
    assert watch.check(1, now=7.0) == ''
    assert watch.check(1, now=12.0)


def test_other_middleware_is_not_blamed_for_fast_dds() -> None:
    watch = SilenceWatch('front', '/image', fast_dds=False)
    watch.check(1, now=0.0)
    sentence = watch.check(1, now=5.0)
    assert 'DDS' not in sentence
