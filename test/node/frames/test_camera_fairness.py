# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras that together send more than the node can answer are served alike."""

from __future__ import annotations

from typing import Any

from action_msgs.msg import GoalStatus
import cv2
from sensor_msgs.msg import CompressedImage, Image
from support.running_node import Camera, compressed_message, image_message, pattern, Person
from vision_msgs.msg import Classification

IMAGES = {label: image_message(pattern(seed)) for seed, label in enumerate(('cat', 'dog'), 1)}
ANSWERS = 300


def test_cameras_of_different_rates_and_transports_are_served_alike(
    start_node: Any, person: Person
) -> None:
    # The packaged extractor takes milliseconds, so that frames wait for each other.
    start_node(
        {
            'extractor': "''",
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
    answers = {
        camera: person.collect(Classification, f'{name}/classification')
        for camera, name in ((front, 'front'), (side, 'side'))
    }
    for collected in answers.values():
        collected.next_one()
    before = {camera: (len(camera.stamps), len(answers[camera])) for camera in answers}

    everything = person.collect(Classification, 'classification')
    everything.wait_for(lambda _: len(everything) >= ANSWERS)

    sent, answered = zip(*(_since(camera, answers, before) for camera in answers), strict=True)
    # Each alone sends more than its half of what is answered, or nothing has to be fair.
    assert min(sent) > 1.1 * max(answered), (sent, answered)
    assert max(answered) - min(answered) <= 0.1 * max(answered), (sent, answered)


def _since(
    camera: Camera, answers: dict[Camera, Any], before: dict[Camera, tuple[int, int]]
) -> tuple[int, int]:
    sent, answered = before[camera]
    return len(camera.stamps) - sent, len(answers[camera]) - answered
