# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Regions of interest, boxes of a detector and annotated pictures over DDS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from action_msgs.msg import GoalStatus
import cv2
from diagnostic_msgs.msg import DiagnosticArray
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain_interfaces.msg import Embedding
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image, RegionOfInterest
from support.running_node import (
    box_message,
    Camera,
    compressed_message,
    image_message,
    pattern,
    Person,
    RunningNode,
)
from vision_msgs.msg import Detection2DArray

pytestmark = pytest.mark.usefixtures('measured_processes')

CAT, DOG = pattern(1), pattern(2)
BOTH = np.hstack([CAT, DOG])
LEFT, RIGHT = [0, 0, 64, 48], [64, 0, 64, 48]


def png_of(picture: Any) -> CompressedImage:
    return compressed_message(cv2.imencode('.png', picture[..., ::-1])[1].tobytes(), 'png')


TRANSPORTS = {'raw': (image_message, Image), 'compressed': (png_of, CompressedImage)}


def train(person: Person) -> None:
    status, result = person.train(num_iter=300, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message


def is_best(label: str) -> Any:
    return lambda message: message.results[0].class_id == label


def nanoseconds(header: Any) -> int:
    return int(header.stamp.sec * 10**9 + header.stamp.nanosec)


def camera_values(array: Any) -> dict[str, str]:
    return {each.key: each.value for each in array.status[1].values}


@pytest.mark.parametrize('transport', TRANSPORTS)
def test_a_camera_is_used_for_its_region_of_interest(
    start_node: Any, person: Person, small_extractor: Path, transport: str
) -> None:
    to_message, message_type = TRANSPORTS[transport]
    start_node({'camera.roi': LEFT, 'camera.image_transport': transport})
    topic = '/image/compressed' if transport == 'compressed' else '/image'
    camera = person.wait_until_ready().camera(topic, message_type)
    camera.show(to_message(BOTH))
    embeddings = person.collect(Embedding, 'embedding')
    extractor = Extractor(small_extractor.read_bytes())

    def is_of(picture: Any) -> Any:
        expected = extractor.embed(picture).tobytes()
        return lambda message: bytes(message.data) == expected

    assert is_of(CAT)(embeddings.next_one())
    assert person.add('cat', count=6).success
    # A request's own region is counted from the corner of the image, not of the camera's region.
    of_request = RegionOfInterest(x_offset=64, y_offset=0, width=64, height=48)
    assert person.add('dog', count=6, roi=of_request).success
    train(person)
    person.classifications.wait_for(is_best('cat'), since=len(person.classifications))
    assert person.set_parameter('camera.roi', RIGHT).successful
    person.classifications.wait_for(is_best('dog'), since=len(person.classifications))
    embeddings.wait_for(is_of(DOG), since=len(embeddings))
    assert person.set_parameter('camera.roi', [0, 0, 0, 0]).successful
    embeddings.wait_for(is_of(BOTH), since=len(embeddings))


def test_an_invalid_region_is_logged_and_the_node_continues(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    camera.show(image_message(CAT))
    refused = person.set_parameter('camera.roi', [1, 2, 3])
    assert not refused.successful
    assert 'camera.roi: the region of interest [1, 2, 3] has 3 numbers' in refused.reason
    embeddings = person.collect(Embedding, 'embedding')
    assert person.set_parameter('camera.roi', RIGHT).successful
    node.wait_for_log('64x48+64+0 reaches beyond the image of 64x48 pixels')
    assert person.set_parameter('camera.roi', LEFT).successful
    assert embeddings.next_one()


def test_a_node_does_not_start_with_an_invalid_region(start_node: Any) -> None:
    node: RunningNode = start_node({'camera.roi': [0, 0, 5, 0]})
    node.wait_for_log('parameter camera.roi: the region of interest 5x0+0+0 is impossible')
    node.wait_for_log(': correct that and restart the node')


def teach_both(person: Person, camera: Camera, to_message: Any = image_message) -> None:
    person.teach(camera, {'cat': to_message(CAT), 'dog': to_message(DOG)})
    train(person)


@pytest.mark.parametrize('transport', TRANSPORTS)
def test_boxes_are_published_with_the_classes_of_the_model(
    start_node: Any, person: Person, transport: str
) -> None:
    to_message, message_type = TRANSPORTS[transport]
    node: RunningNode = start_node(
        {'camera.detections_topic': '/boxes', 'camera.image_transport': transport}
    )
    topic = '/image/compressed' if transport == 'compressed' else '/image'
    camera = person.wait_until_ready().camera(topic, message_type)
    detector = person.detector(topic, message_type=message_type)
    detections = person.collect(Detection2DArray, 'camera/detections')
    teach_both(person, camera, to_message)
    # Images without boxes get empty detections.
    assert len(detections.next_one().detections) == 0
    sent = [
        box_message('right', 100, 24, 72, 60),
        box_message('outside', 500, 24, 64, 48),
        box_message('left', 32, 24, 64, 48),
    ]
    # One of the boxes is beyond smaller images as well, and that is logged once.
    since = camera.show(to_message(BOTH))
    detections.wait_for(lambda each: nanoseconds(each.header) >= since)
    detector.boxes = sent
    published = detections.wait_for(
        lambda each: (
            [box.id for box in each.detections] == ['right', 'left']
            and [box.results[0].hypothesis.class_id for box in each.detections] == ['dog', 'cat']
        )
    )
    assert [box.bbox for box in published.detections] == [sent[0].bbox, sent[2].bbox]
    assert nanoseconds(published.header) in camera.stamps
    assert published.header.frame_id == 'camera_frame'
    scores = [each.hypothesis.score for each in published.detections[1].results]
    assert sum(scores) == pytest.approx(1.0, abs=0.02)
    assert node.wait_for_log('1 of 3 have no pixel in the image of 128x48 pixels')
    values = camera_values(person.collect(DiagnosticArray, '/diagnostics').next_one())
    assert int(values['boxes classified']) >= 2
    assert int(values['boxes skipped']) >= 1
    assert int(values['detections received']) >= 2
    # The whole image is classified too.
    assert person.classifications.next_one().results


def test_of_too_many_boxes_the_best_are_classified(start_node: Any, person: Person) -> None:
    node: RunningNode = start_node(
        {'camera.detections_topic': '/boxes', 'camera.max_detections': 2}
    )
    camera = person.wait_until_ready().camera()
    detector = person.detector('/image')
    teach_both(person, camera)
    detector.boxes = [
        box_message(name, 32, 24, 20, 20, score)
        for name, score in (('a', 0.1), ('b', 0.8), ('c', 0.2), ('d', 0.9))
    ]
    detections = person.collect(Detection2DArray, 'camera/detections')
    detections.wait_for(lambda each: [box.id for box in each.detections] == ['b', 'd'])
    node.wait_for_log('4 boxes in one image; the 2 of the highest scores are classified')


def test_detections_without_an_image_are_logged_and_the_node_continues(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node(
        {'camera.detections_topic': '/boxes', 'camera.detections_timeout_s': 0.2}
    )
    camera = person.wait_until_ready().camera()
    detector = person.detector('/image')
    teach_both(person, camera)
    detector.late_ns = 1
    detector.boxes = [box_message('left', 32, 24, 64, 48)]
    camera.show(image_message(CAT))
    line = node.wait_for_log('detections without an image')
    assert 'came within 0.2 s on the image topic' in line
    assert "camera 'camera'" in line
    values = camera_values(person.collect(DiagnosticArray, '/diagnostics').next_one())
    assert int(values['detections unmatched']) >= 1
    detector.late_ns = 0
    detections = person.collect(Detection2DArray, 'camera/detections')
    detections.wait_for(lambda each: [box.id for box in each.detections] == ['left'])


def test_an_invalid_detections_topic_is_rejected(start_node: Any) -> None:
    node: RunningNode = start_node({'camera.detections_topic': 'no topic'})
    node.wait_for_log("camera.detections_topic is 'no topic': set it to the name of a topic")
    node.wait_for_log(': correct that and restart the node')


def test_classifications_are_drawn_into_pictures(
    start_node: Any, person: Person, tmp_path: Path
) -> None:
    start_node({'camera.roi': LEFT})
    camera = person.wait_until_ready().camera()
    person.teach(camera, {'cat': image_message(BOTH), 'dog': image_message(BOTH[:, ::-1])})
    train(person)
    person.show(camera, image_message(BOTH))
    pictures = person.collect(CompressedImage, 'camera/annotated/compressed')
    # The first has no frame rate yet.
    pictures.next_one()
    message = pictures.next_one()
    assert message.format == 'jpeg'
    assert nanoseconds(message.header) in camera.stamps
    assert message.header.frame_id == 'camera_frame'
    (tmp_path / 'annotated.jpg').write_bytes(bytes(message.data))
    drawn = cv2.imread(str(tmp_path / 'annotated.jpg'))
    # 128 x 48, enlarged to the least width, and the strip below.
    assert drawn.shape == (120 + 64, 320, 3)
    expected = cv2.resize(BOTH, (320, 120))[..., ::-1].astype(float)
    # Without the outline of the region, which is the left half.
    assert np.abs(drawn[4:116, 168:] - expected[4:116, 168:]).mean() < 20
    assert (drawn[124:].max(axis=2) > 200).any(), 'there is text'
