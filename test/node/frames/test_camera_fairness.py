# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Cameras that together send more than the node can classify get equal shares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from action_msgs.msg import GoalStatus
from benchmarks.node.slow_extractor import build
import cv2
from sensor_msgs.msg import CompressedImage, Image
from support.running_node import Camera, compressed_message, image_message, pattern, Person
from vision_msgs.msg import Classification

IMAGES = {label: image_message(pattern(seed)) for seed, label in enumerate(('cat', 'dog'), 1)}
CLASSIFICATIONS = 200


def test_cameras_of_different_rates_and_transports_are_served_alike(
    start_node: Any, person: Person, tmp_path: Path
) -> None:
    # An extractor so slow that frames wait for each other on any machine.
    extractor = tmp_path / 'slow.tflite'
    extractor.write_bytes(build(layers=100))
    start_node(
        {
            'extractor': extractor,
            'cameras': '[front, side]',
            'front.image_topic': '/front',
            'side.image_topic': '/side',
            'side.image_transport': 'compressed',
        }
    )
    person.wait_until_ready()
    front = person.camera('/front', Image)
    person.teach(front, IMAGES)
    status, result = person.train()
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message
    side = person.camera('/side/compressed', CompressedImage)
    png = cv2.imencode('.png', pattern(2)[..., ::-1])[1].tobytes()
    side.show(compressed_message(png, 'png'))
    front.period_s, side.period_s = 0.004, 0.006
    classifications = {
        camera: person.collect(Classification, f'{name}/classification')
        for camera, name in ((front, 'front'), (side, 'side'))
    }
    for collected in classifications.values():
        collected.next_one()
    before = {
        camera: (len(camera.stamps), len(classifications[camera])) for camera in classifications
    }

    everything = person.collect(Classification, 'classification')
    everything.wait_for(lambda _: len(everything) >= CLASSIFICATIONS)

    sent, classified = zip(
        *(_since(camera, classifications, before) for camera in classifications), strict=True
    )
    # Each camera sends more than its share, so that fairness is needed.
    assert min(sent) > 1.1 * max(classified), (sent, classified)
    assert max(classified) - min(classified) <= 0.1 * max(classified), (sent, classified)


def _since(
    camera: Camera, classifications: dict[Camera, Any], before: dict[Camera, tuple[int, int]]
) -> tuple[int, int]:
    sent, classified = before[camera]
    return len(camera.stamps) - sent, len(classifications[camera]) - classified
