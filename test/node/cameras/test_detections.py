# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Detections with their images by stamp, and boxes with their pixels; no ROS needed."""

from __future__ import annotations

import gc
import math
from types import SimpleNamespace
from typing import Any
import weakref

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.node.cameras.detections import (
    boxes_within,
    check_detections,
    DetectionMatcher,
    MAX_BOXES,
    most_certain,
    MOST_DETECTIONS,
    MOST_IMAGE_BYTES,
    MOST_IMAGES,
)
from edgetpu_retrain.node.cameras.image_transport import RAW
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.pictures.region import Region
import numpy as np
import pytest


def stamped(stamp: int) -> SimpleNamespace:
    sec, nanosec = divmod(stamp, 10**9)
    return SimpleNamespace(
        header=SimpleNamespace(stamp=SimpleNamespace(sec=sec, nanosec=nanosec), frame_id=''),
        stamp=stamp,
        data=b'',
    )


def image(stamp: int, arrived: float = 0.0) -> Frame:
    return Frame('front', RAW, stamped(stamp), arrived)


def detection(
    x: float, y: float, width: float, height: float, *, theta: float = 0.0, scores: Any = ()
) -> SimpleNamespace:
    center = SimpleNamespace(position=SimpleNamespace(x=x, y=y), theta=theta)
    results = [SimpleNamespace(hypothesis=SimpleNamespace(score=score)) for score in scores]
    bbox = SimpleNamespace(center=center, size_x=width, size_y=height)
    return SimpleNamespace(bbox=bbox, results=results)


@pytest.mark.parametrize('image_first', [True, False])
def test_image_and_detections_of_one_stamp_are_matched(*, image_first: bool) -> None:
    matcher = DetectionMatcher()
    mine, boxes = image(5_000_000_007), stamped(5_000_000_007)
    assert matcher.add_image(image(5_000_000_006)) is None
    assert matcher.add_detections(stamped(4_000_000_007), now=0.0) == (None, [])
    if image_first:
        assert matcher.add_image(mine) is None
        matched, made_way = matcher.add_detections(boxes, now=0.0)
        assert made_way == []
    else:
        assert matcher.add_detections(boxes, now=0.0) == (None, [])
        matched = matcher.add_image(mine)
    assert matched is not None
    assert matched.message is mine.message
    assert matched.detections is boxes
    # Both are used up.
    assert matcher.add_image(mine) is None
    assert matcher.expire(now=1e9, longest_wait_s=1.0)[0].stamp == 4_000_000_007


def test_detections_wait_for_a_bounded_time() -> None:
    matcher = DetectionMatcher()
    early, late = stamped(1), stamped(2)
    matcher.add_detections(early, now=10.0)
    matcher.add_detections(late, now=10.4)
    assert matcher.expire(now=10.5, longest_wait_s=0.5) == []
    assert matcher.expire(now=10.6, longest_wait_s=0.5) == [early]
    assert matcher.add_image(image(1)) is None
    matched = matcher.add_image(image(2))
    assert matched is not None
    assert matched.detections is late


def test_images_wait_for_a_bounded_time() -> None:
    matcher = DetectionMatcher()
    matcher.add_image(image(1, arrived=10.0))
    matcher.add_image(image(2, arrived=10.4))
    matcher.expire(now=10.6, longest_wait_s=0.5)
    assert matcher.add_detections(stamped(1), now=10.6)[0] is None
    assert matcher.add_detections(stamped(2), now=10.6)[0] is not None


def test_the_number_of_waiting_images_is_bounded() -> None:
    matcher = DetectionMatcher()
    for stamp in range(1, MOST_IMAGES + 2):
        matcher.add_image(image(stamp))
    assert matcher.add_detections(stamped(1), now=0.0)[0] is None
    assert matcher.add_detections(stamped(2), now=0.0)[0] is not None


def test_the_number_of_waiting_detections_is_bounded() -> None:
    matcher = DetectionMatcher()
    first = stamped(1)
    assert matcher.add_detections(first, now=0.0)[1] == []
    for stamp in range(2, MOST_DETECTIONS + 1):
        assert matcher.add_detections(stamped(stamp), now=0.0)[1] == []
    assert matcher.add_detections(stamped(99), now=0.0)[1] == [first]


def test_newer_detections_of_the_same_stamp_replace_older() -> None:
    matcher = DetectionMatcher()
    older, newer = stamped(1), stamped(1)
    matcher.add_detections(older, now=0.0)
    assert matcher.add_detections(newer, now=0.0)[1] == [older]
    matched = matcher.add_image(image(1))
    assert matched is not None
    assert matched.detections is newer


def test_waiting_images_keep_no_converted_pixels() -> None:
    matcher = DetectionMatcher()
    seen = image(1)
    matcher.add_image(seen)
    # The same frame is served meanwhile, and converted.
    pixels = np.zeros(3)
    vars(seen)['whole'] = pixels
    still_there = weakref.ref(pixels)
    del pixels, seen
    gc.collect()
    assert still_there() is None
    assert matcher.add_detections(stamped(1), now=0.0)[0] is not None


def test_boxes_are_clipped_and_empty_ones_left_out() -> None:
    inside = detection(5.0, 3.0, 6.0, 4.0)
    partly = detection(0.0, 12.0, 8.0, 6.0)
    around = detection(5.0, 6.0, 100.0, 100.0)
    empty = [
        detection(15.0, 3.0, 6.0, 4.0),
        detection(5.0, -9.0, 6.0, 4.0),
        detection(5.0, 3.0, 0.0, 4.0),
        detection(5.0, 3.0, 6.0, -4.0),
        detection(math.nan, 3.0, 6.0, 4.0),
        detection(5.0, math.inf, 6.0, 4.0),
        detection(5.0, 3.0, math.nan, 4.0),
        detection(5.0, 3.0, math.inf, 4.0),
        detection(5.0, 3.0, 6.0, 4.0, theta=math.inf),
    ]
    boxes = boxes_within([empty[0], inside, *empty[1:], partly, around], width=10, height=12)
    assert [detection for detection, _ in boxes] == [inside, partly, around]
    assert [region for _, region in boxes] == [
        Region(2, 1, 6, 4),
        Region(0, 9, 4, 3),
        Region(0, 0, 10, 12),
    ]


def test_a_rotated_box_is_replaced_by_its_bounding_box() -> None:
    ((_, upright),) = boxes_within([detection(50, 50, 20, 10, theta=math.pi / 2)], 100, 100)
    assert upright == Region(45, 40, 10, 20)
    ((_, diagonal),) = boxes_within([detection(50, 50, 20, 20, theta=-math.pi / 4)], 100, 100)
    assert diagonal == Region(36, 36, 28, 28)


def test_the_most_certain_are_kept_in_their_order() -> None:
    scores = [(0.1,), (0.9, 0.95), (), (0.5,), (math.nan,), (0.1, 0.7)]
    detections = [detection(1, 1, 1, 1, scores=each) for each in scores]
    assert most_certain(detections, 3) == [detections[1], detections[3], detections[5]]
    assert most_certain(detections, 6) == detections
    assert most_certain([detections[2], detections[4]], 1) == [detections[2]]


def array(boxes: int = 1, hypotheses: int = 0, **fields: object) -> SimpleNamespace:
    box = SimpleNamespace(header=SimpleNamespace(frame_id=''), id='1', results=[None] * hypotheses)
    vars(box).update(fields)
    return SimpleNamespace(header=stamped(1).header, detections=[box] * boxes)


@pytest.mark.parametrize(
    ('detections', 'words'),
    [
        (array(MAX_BOXES + 1), '10001 boxes are more than 10000'),
        (array(10, 10_001), 'the boxes have 100010 hypotheses, more than 100000'),
        (array(id='\x1b' * 256), r'the id of a box is .*\(256 characters\): use at most 255'),
        (array(header=SimpleNamespace(frame_id='x' * 256)), 'the frame_id of a box is'),
    ],
)
def test_too_many_or_too_long_detections_are_rejected(
    detections: SimpleNamespace, words: str
) -> None:
    with pytest.raises(ImageError, match=words):
        check_detections(detections)
    check_detections(array(MAX_BOXES, 10))


def test_the_bytes_of_waiting_images_are_bounded() -> None:
    matcher = DetectionMatcher()
    for stamp in (1, 2, 3):
        large = image(stamp)
        # Its pages are never written, so it takes no memory.
        large.message.data = bytes(MOST_IMAGE_BYTES // 2)
        matcher.add_image(large)
    found = [matcher.add_detections(stamped(stamp), now=0.0)[0] for stamp in (1, 2, 3)]
    assert [each is not None for each in found] == [False, True, True]
