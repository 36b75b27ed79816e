# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import cv2
from edgetpu_retrain.node.cameras.image_transport import COMPRESSED, RAW
from edgetpu_retrain.node.frames.newest_frames import Frame, NewestFrames
import numpy as np

PICTURE = np.random.default_rng(1).integers(0, 256, (12, 10, 3), np.uint8)


def frame(camera: str, number: int) -> Frame:
    return Frame(camera, RAW, number, arrived=float(number))


def test_a_newer_frame_replaces_an_older() -> None:
    frames = NewestFrames()
    assert not frames.put(frame('left', 1))
    assert frames.put(frame('left', 2)), 'number 1 is replaced'
    assert frames.take() == frame('left', 2)
    assert frames.take() is None
    assert not frames.put(frame('left', 3))
    frames.clear()
    assert frames.take() is None


def test_a_fast_camera_does_not_starve_a_slow_one() -> None:
    frames = NewestFrames()
    served = []
    for number in range(6):
        frames.put(frame('fast', number))
        if number % 2 == 0:
            frames.put(frame('slow', number))
        taken = frames.take()
        assert taken is not None
        served.append(taken.camera)
    assert served == ['fast', 'slow', 'fast', 'slow', 'fast', 'slow']


def test_all_cameras_take_turns() -> None:
    frames = NewestFrames()
    served = ''
    for number in range(9):
        for camera in 'cab':
            frames.put(frame(camera, number))
        taken = frames.take()
        assert taken is not None
        served += taken.camera
    assert served == 'cabcabcab'


def test_detections_have_a_slot_of_their_own() -> None:
    frames = NewestFrames()
    image, detected = frame('left', 1), replace(frame('left', 2), detections=['box'])
    assert not frames.put(detected)
    assert not frames.put(image)
    assert frames.take(detections=False) == image
    assert frames.take(detections=False) is None
    assert frames.put(replace(detected, arrived=3.0)), 'number 2 is replaced'
    assert frames.take() == replace(detected, arrived=3.0)


def raw_message(encoding: str) -> SimpleNamespace:
    height, width = PICTURE.shape[:2]
    return SimpleNamespace(
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=3 * width,
        data=PICTURE.tobytes(),
    )


def test_the_size_of_a_raw_frame_needs_no_conversion() -> None:
    seen = Frame('left', RAW, raw_message('bgr8'), 1.0)
    assert seen.size == (10, 12)
    assert not seen.picture.whole_bytes
    np.testing.assert_array_equal(seen.picture.whole, PICTURE[..., ::-1])


def test_a_compressed_frame_has_the_size_of_its_picture() -> None:
    content = cv2.imencode('.png', PICTURE[..., ::-1])[1].tobytes()
    seen = Frame('left', COMPRESSED, SimpleNamespace(format='jpeg', data=content), 1.0)
    assert seen.size == (10, 12)
    np.testing.assert_array_equal(seen.picture.whole, PICTURE)
