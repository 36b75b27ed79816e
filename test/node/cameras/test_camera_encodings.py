# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole node with cameras that send the same picture in many encodings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
from edgetpu_retrain.node.health.fault_counter import LATEST_S
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain_interfaces.msg import Embedding, Status
import numpy as np
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage, Image
from support.encoded_pictures import encoded
from support.robot_messages import compressed_message, image_message, jpeg_message
from support.running_node import pattern, Person, RunningNode

PICTURE = pattern(1)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def vector(message: Any) -> Any:
    """Return the dequantized embedding in a message."""
    data = np.frombuffer(bytes(message.data), message.dtype)
    return (data.astype(np.float64) - message.zero_point) * message.scale


def is_of(camera: str) -> Callable[[Any], bool]:
    return lambda message: bool(message.camera == camera)


def distance(one: Any, other: Any) -> float:
    """Return the cosine distance of two vectors."""
    return float(1.0 - one @ other / np.sqrt((one @ one) * (other @ other)))


def test_all_encodings_of_a_picture_give_the_same_embedding(
    start_node: Any, small_extractor: Path, person: Person
) -> None:
    pictures = list(encoded(PICTURE))
    names = [each.encoding for each in pictures]
    # A camera's name begins with a letter.
    cameras = {f'as_{name}': each for name, each in zip(names, pictures, strict=True)}
    parameters = {f'{camera}.image_topic': f'/{camera}' for camera in cameras}
    parameters |= {'webp.image_topic': '/webp', 'webp.image_transport': 'compressed'}
    node: RunningNode = start_node({'cameras': f'[{", ".join([*cameras, "webp"])}]', **parameters})
    person.wait_until_ready()
    embeddings = person.collect(Embedding, 'embedding')
    for camera, each in cameras.items():
        height, width = PICTURE.shape[:2]
        message = Image(height=height, width=width, encoding=each.encoding, step=each.step)
        message.data = each.data
        person.camera(f'/{camera}').show(message)
    options = [cv2.IMWRITE_WEBP_QUALITY, 101]
    webp = cv2.imencode('.webp', PICTURE[..., ::-1], options)[1].tobytes()
    person.camera('/webp/compressed', CompressedImage).show(compressed_message(webp, 'webp'))
    engine = CpuEngine(small_extractor.read_bytes())
    expected = engine.run(PICTURE).embedding.tobytes()
    for camera in (*cameras, 'webp'):
        found = embeddings.wait_for(is_of(camera))
        if camera == 'webp' or cameras[camera].is_exact:
            assert bytes(found.data) == expected, camera
        reference = embeddings.wait_for(is_of('as_rgb8'))
        assert distance(vector(found), vector(reference)) < 0.02, camera
    node.wait_for_log("camera 'as_8UC3': encoding '8UC3' is taken as bgr8")
    assert sum("'8UC3' is taken as" in line for line in node.log) == 1


def test_the_bits_of_a_dark_camera_are_named_and_set(
    start_node: Any, small_extractor: Path, person: Person
) -> None:
    grey = PICTURE[..., :1]
    expected = CpuEngine(small_extractor.read_bytes()).run(np.repeat(grey, 3, -1)).embedding
    # 8 bits as the upper ones of 10.
    values = np.rint(grey * (1023 / 255)).astype(np.uint16)
    node: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    embeddings = person.collect(Embedding, 'embedding')
    camera.show(image_message(values, 'mono16'))
    warning = node.wait_for_log('16-bit pictures are nearly black')
    assert '[WARN]' in warning
    assert "camera 'camera': " in warning
    assert 'set camera.bits to 10' in warning
    assert all(bytes(each.data) != expected.tobytes() for each in embeddings)
    assert person.set_parameter('camera.bits', 10).successful
    embeddings.wait_for(lambda each: bytes(each.data) == expected.tobytes())
    # A picture in a request is read as those of the camera that it is from.
    png = compressed_message(cv2.imencode('.png', values)[1].tobytes(), 'png')
    assert person.add('cat', image=png, min_novelty=0.001).added == 1
    assert person.add('cat', count=1, min_novelty=0.001, timeout_s=5.0).added == 0
    assert sum('nearly black' in line for line in node.log) == 1


def test_a_topic_of_another_type_is_a_problem_with_a_cure(start_node: Any, person: Person) -> None:
    start_node({'camera.image_topic': '/front/image_raw/compressed'})
    camera = person.wait_until_ready().camera('/front/image_raw/compressed', CompressedImage)
    camera.show(compressed_message(b'any'))
    cure = 'set camera.image_transport to compressed, and camera.image_topic to /front/image_raw,'
    status = person.collect(Status, 'status', LATCHED).wait_for(
        lambda each: cure in ' '.join(each.problems)
    )
    assert (
        'is of type sensor_msgs/msg/CompressedImage, and not sensor_msgs/msg/Image'
        in (status.problems[0])
    )
    response = person.add('mug', timeout_s=2.0)
    assert not response.success
    assert cure in response.message


def test_the_latest_fault_of_a_slow_camera_is_in_the_response(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    message = image_message(PICTURE)
    message.encoding = '16UC1'
    camera.show(message)
    node.wait_for_log('is depth (distances), not a picture')
    camera.show(None)
    # The problem lasts until the next image, which does not come.
    for _ in range(2):
        response = person.add('mug', timeout_s=LATEST_S + 1.0)
        assert not response.success
        assert 'is depth (distances), not a picture: subscribe to' in response.message
        assert 'ros2 topic hz' not in response.message
    # All that lack samples because of it say so, too.
    for message in (
        person.train()[1].message,
        person.list_samples().message,
        person.list_samples(label='mug').message,
        person.remove('mug').message,
    ):
        assert 'is depth (distances), not a picture: subscribe to' in message
    person.camera().show(image_message(PICTURE))
    assert person.add('mug', timeout_s=60.0).success
    person.collect(Status, 'status', LATCHED).wait_for(lambda each: not each.problems)
    message = person.train()[1].message
    assert message.endswith('Add samples of at least two classes.'), message


def test_a_camera_that_is_not_active_is_named_at_once(start_node: Any, person: Person) -> None:
    start_node({'cameras': '[front, rear]', 'front.active': False, 'rear.active': False})
    person.wait_until_ready()
    for camera, words in (
        ('front', 'The node does not listen to camera front: set front.active to true'),
        ('', 'to camera front, rear: set front.active, rear.active to true'),
        ('side', "There is no camera 'side'"),
    ):
        response = person.add('mug', camera=camera, timeout_s=60.0)
        assert not response.success
        assert words in response.message
    picture = jpeg_message(PICTURE)
    refused = person.add('mug', camera='rear', image=picture)
    assert 'does not listen to camera rear: set rear.active to true' in refused.message
    assert person.add('mug', image=picture).success, 'a picture needs no camera'
