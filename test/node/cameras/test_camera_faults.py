# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults of cameras and clocks are logged, and the rest of the node continues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from edgetpu_retrain_interfaces.msg import Result
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image
from support.running_node import (
    box_message,
    compressed_message,
    image_message,
    pattern,
    Person,
    RunningNode,
    TAUGHT,
    TAUGHT_IMAGES,
)
from vision_msgs.msg import Detection2DArray

HOUR_NS = 3600 * 10**9
CAT = pattern(1)


def broken(**fields: Any) -> Image:
    """Return an image message of a cat with fields that cannot be true."""
    message = image_message(CAT)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


# One camera each, by its name; and what is said of its images.
MALFORMED: dict[str, tuple[Any, str]] = {
    'step': (broken(step=1), 'step'),
    'short': (broken(data=b'too short'), 'data has 9 bytes'),
    'long': (broken(data=bytes(CAT.nbytes + 1)), 'data has'),
    'narrow': (broken(width=0), '0 x 48'),
    'flat': (broken(height=0), '64 x 0'),
    'huge': (broken(width=2**32 - 1, height=2**32 - 1), '4294967295'),
    'depth': (broken(encoding='16UC1'), 'is depth (distances), not a picture: subscribe to'),
    'odd': (broken(encoding='nv12', width=2**32 - 1, height=3), '4294967295 x 3 pixels'),
    'nothing': (broken(encoding=''), 'encoding'),
}
MALFORMED_FILES: dict[str, tuple[Any, str]] = {
    'noise': (compressed_message(b'no picture' * 100), 'image'),
    'empty': (compressed_message(b''), 'image'),
    'tiff': (compressed_message(b'II*\0' + bytes(60), 'tiff'), 'is a file of TIFF: save or send'),
    'video': (compressed_message(CAT.tobytes(), 'h264'), 'is a packet of a video (h264)'),
}


def is_best(label: str) -> Callable[[Any], bool]:
    return lambda message: message.results[0].class_id == label


def stamp_ns(header: Any) -> int:
    return int(header.stamp.sec * 10**9 + header.stamp.nanosec)


def is_of(camera: str) -> Callable[[Any], bool]:
    return lambda result: result.camera == camera


def status_of(camera: str, array: Any) -> Any:
    """Return a camera's status in an array of diagnostics."""
    return next(each for each in array.status if each.hardware_id == camera)


def is_warned(camera: str) -> Callable[[Any], bool]:
    return lambda array: status_of(camera, array).level == DiagnosticStatus.WARN


@pytest.mark.usefixtures('taught_data')
def test_malformed_images_are_logged_and_other_cameras_continue(
    start_node: Any, person: Person
) -> None:
    malformed = {**MALFORMED, **MALFORMED_FILES}
    names = ['good', *malformed]
    parameters: dict[str, object] = {'cameras': f'[{", ".join(names)}]'}
    parameters |= {f'{name}.image_topic': f'/{name}' for name in names}
    parameters |= {f'{name}.image_transport': 'compressed' for name in MALFORMED_FILES}
    node: RunningNode = start_node(parameters)
    person.wait_until_ready()
    cameras = {name: person.camera(f'/{name}') for name in ('good', *MALFORMED)}
    for name in MALFORMED_FILES:
        cameras[name] = person.camera(f'/{name}/compressed', CompressedImage)
    cameras['good'].show(TAUGHT_IMAGES['dog'])
    for name, (message, _) in malformed.items():
        cameras[name].show(message)
    arrays = person.collect(DiagnosticArray, '/diagnostics')
    for name, (_, words) in malformed.items():
        status = status_of(name, arrays.wait_for(is_warned(name)))
        assert status.message.startswith(f'camera {name!r}: unusable image: ')
        assert words in status.message
        assert f"camera '{name}': unusable image (" in node.wait_for_log(f"camera '{name}': unus")
    person.classifications.wait_for(is_best('dog'), since=len(person.classifications))

    jpeg = compressed_message(cv2.imencode('.jpg', CAT[..., ::-1])[1].tobytes())
    for name in malformed:
        cameras[name].show(jpeg if name in MALFORMED_FILES else TAUGHT_IMAGES['cat'])
    results = person.collect(Result, 'result')
    for name in malformed:
        results.wait_for(is_of(name))
    # A busy machine loses images, which is another warning.
    arrays.wait_for(
        lambda each: not any('unusable image' in status.message for status in each.status),
        since=len(arrays),
    )
    assert not any('Traceback' in line for line in node.log)


@pytest.mark.usefixtures('taught_data')
def test_resolution_and_encoding_may_change_with_every_image(
    start_node: Any, person: Person
) -> None:
    start_node()
    camera = person.wait_until_ready().camera()
    twice = np.repeat(np.repeat(CAT, 2, axis=0), 2, axis=1)
    with_alpha = np.concatenate([CAT, np.full_like(CAT[..., :1], 255)], axis=2)
    for message in (
        image_message(CAT),
        image_message(np.ascontiguousarray(CAT[..., ::-1]), 'bgr8'),
        image_message(twice),
        image_message(with_alpha, 'rgba8'),
    ):
        camera.show(TAUGHT_IMAGES['dog'])
        person.classifications.wait_for(is_best('dog'), since=len(person.classifications))
        camera.show(message)
        person.classifications.wait_for(is_best('cat'), since=len(person.classifications))


@pytest.mark.usefixtures('taught_data')
def test_images_with_earlier_stamps_are_classified(start_node: Any, person: Person) -> None:
    start_node({'camera.detections_topic': '/boxes'})
    camera = person.wait_until_ready().camera()
    detector = person.detector('/image')
    detector.boxes = [box_message('all', 32, 24, 64, 48)]
    results = person.collect(Result, 'result')
    detections = person.collect(Detection2DArray, 'camera/detections')
    camera.show(TAUGHT_IMAGES['cat'])
    now = stamp_ns(results.next_one().header)
    camera.clock_ahead_ns = -HOUR_NS

    def is_earlier(message: Any) -> bool:
        return stamp_ns(message.header) < now

    results.wait_for(is_earlier)
    detections.wait_for(is_earlier)
    response = person.add('cat', count=2, timeout_s=60.0)
    assert response.label_total == TAUGHT + 2, response.message
    newest = person.list_samples(limit=1).samples[0]
    assert newest.stamp.sec * 10**9 < now


@pytest.mark.usefixtures('taught_data')
def test_a_flood_of_images_is_dropped_and_requests_continue(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node({'cameras': '[flood, calm]', 'flood.image_topic': '/flood'})
    person.wait_until_ready()
    flood, calm = person.camera('/flood'), person.camera()
    flood.period_s = 0.001
    flood.show(TAUGHT_IMAGES['dog'])
    calm.show(TAUGHT_IMAGES['cat'])

    def has_dropped(array: Any) -> bool:
        values = {each.key: each.value for each in status_of('flood', array).values}
        return int(values['frames dropped']) > 0

    person.collect(DiagnosticArray, '/diagnostics').wait_for(has_dropped)
    results = person.collect(Result, 'result')
    for name in ('flood', 'calm'):
        results.wait_for(is_of(name))
    assert person.add('cat', camera='calm', count=2, timeout_s=60.0).success
    assert node.end() == 0
