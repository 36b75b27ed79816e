# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Requests and messages that nobody should send: each is answered in words, the node goes on."""

from __future__ import annotations

from collections.abc import Callable
import math
import struct
from typing import Any
import zlib

from action_msgs.msg import GoalStatus
import cv2
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import pytest
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from sensor_msgs.msg import RegionOfInterest
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

JPEG = cv2.imencode('.jpg', pattern(7))[1].tobytes()
LONGEST_LINE = 3000
LAST_SECOND = 2**31 - 1


def png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
        )

    head = chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
    body = chunk(b'IDAT', zlib.compress(rows, 9)) + chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + head + body


BAD_LABELS = (
    '',
    '.',
    '..',
    '../../etc/passwd',
    'C:\\boot.ini',
    ' cat',
    'two\nlines',
    '\x1b[2J\x1b[31mred',
    'gpj.\u202eexe',
    'zero\u200bwidth',
    '茶' * 86,
    'x' * 101,
    'x' * 1_000_000,
    'Unknown',
)
BAD_ADDITIONS: tuple[dict[str, Any], ...] = (
    *({'label': label} for label in BAD_LABELS),
    {'label': 'cat', 'camera': 'x' * 1_000_000},
    {'label': 'cat', 'camera': '\x1b[31m\n../front'},
    {'label': 'cat', 'count': 2**32 - 1},
    *({'label': 'cat', 'min_interval_s': value} for value in (math.nan, -1.0, math.inf)),
    *({'label': 'cat', 'timeout_s': value} for value in (math.nan, -1.0, 1e308)),
    {'label': 'cat', 'timeout_s': 5e-324},
    *({'label': 'cat', 'min_novelty': value} for value in (math.nan, math.inf, 2.5)),
    {'label': 'cat', 'roi': RegionOfInterest(do_rectify=True)},
    {'label': 'cat', 'roi': RegionOfInterest(x_offset=1)},
    {
        'label': 'cat',
        'roi': RegionOfInterest(x_offset=2**32 - 1, width=2**32 - 1, height=1),
        'timeout_s': 60.0,
    },
    *(
        {'label': 'cat', 'image': compressed_message(content)}
        for content in (
            b'\x1b[31mno picture',
            JPEG[: len(JPEG) // 2],
            png(30_000, 30_000, bytes(1000)),
            png(60_000, 100, bytes(1000)),
            png(2000, 2000, b''),
            png(8, 8, bytes(200_000_000)),
        )
    ),
    {'label': 'cat', 'image': compressed_message(JPEG), 'count': 5},
)
BAD_RELABELLINGS: tuple[dict[str, Any], ...] = (
    {},
    {'label': 'cat', 'ids': [1]},
    *({'ids': ids} for ids in ([0], [2**64 - 1], [1] * 10_001)),
    *({'label': label} for label in BAD_LABELS[1:-1]),
    *({'label': 'cat', 'new_label': label} for label in BAD_LABELS),
)
BAD_GOALS: tuple[dict[str, Any], ...] = (
    {'num_iter': 2**32 - 1},
    {'batch_size': 2**32 - 1},
    {'num_iter': 1_000_000, 'batch_size': 100_000},
    *({'learning_rate': value} for value in (math.nan, math.inf, -1.0, 1e300)),
    *({'reg': value} for value in (math.nan, -1.0, 1e300)),
    *({'weight_scale': value} for value in (math.nan, -1.0, 1e300)),
    *({'validation_fraction': value} for value in (math.nan, 0.0, 1.0, -1.0)),
    *({'seed': value} for value in (-2, -(2**63))),
)


def check_refusal(answer: Any) -> None:
    assert not answer.success
    assert answer.message.isprintable(), ascii(answer.message)
    assert answer.message.endswith('.')
    assert 10 < len(answer.message) <= LONGEST_LINE
    assert 'Internal error' not in answer.message


def check_log(node: RunningNode) -> None:
    assert not any('Traceback' in line for line in node.log)
    assert [line for line in node.log if not line.rstrip('\n').isprintable()] == []
    assert max(map(len, node.log)) <= LONGEST_LINE


def goes_on(person: Person) -> None:
    """See that the robot still answers and still learns."""
    person.classifications.next_one()
    answer = person.add('cat', timeout_s=60.0)
    assert answer.success, answer.message


def of_type(kind: int, **values: Any) -> ParameterValue:
    return ParameterValue(type=kind, **values)


BAD_PARAMETERS = (
    ('camera.roi', of_type(ParameterType.PARAMETER_NOT_SET)),
    ('camera.roi', of_type(ParameterType.PARAMETER_STRING, string_value='all')),
    ('camera.roi', of_type(ParameterType.PARAMETER_INTEGER_ARRAY, integer_array_value=[1])),
    (
        'camera.roi',
        of_type(ParameterType.PARAMETER_INTEGER_ARRAY, integer_array_value=[-(2**63)] * 4),
    ),
    (
        'camera.roi',
        of_type(ParameterType.PARAMETER_INTEGER_ARRAY, integer_array_value=[1] * 100_000),
    ),
    ('camera.max_detections', of_type(ParameterType.PARAMETER_INTEGER, integer_value=2**62)),
    ('smoothing_frames', of_type(ParameterType.PARAMETER_NOT_SET)),
    ('smoothing_frames', of_type(ParameterType.PARAMETER_INTEGER, integer_value=-1)),
    ('unknown_below', of_type(ParameterType.PARAMETER_DOUBLE, double_value=math.nan)),
    ('min_novelty', of_type(ParameterType.PARAMETER_DOUBLE, double_value=math.nan)),
    ('store_images', of_type(ParameterType.PARAMETER_STRING, string_value='x\x1b' * 100_000)),
    ('cameras', of_type(ParameterType.PARAMETER_STRING_ARRAY, string_array_value=['../x'])),
    ('no\nsuch', of_type(ParameterType.PARAMETER_BOOL, bool_value=True)),
)


@pytest.mark.usefixtures('taught_data')
def test_hostile_requests_are_rejected_with_a_message_and_the_node_continues(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node()
    person.wait_until_ready().camera().show(TAUGHT_IMAGES['cat'])
    person.classifications.next_one()
    for addition in BAD_ADDITIONS:
        check_refusal(person.add(**addition))
    for relabelling in BAD_RELABELLINGS:
        check_refusal(person.relabel(**{'new_label': 'dog', **relabelling}))
    check_refusal(person.remove())
    for label in BAD_LABELS[1:-1]:
        check_refusal(person.remove(label))
    check_refusal(person.list_samples(limit=2**32 - 1))
    check_refusal(person.list_samples(label='\x1b[31m' * 100_000))
    for version in (-2, -(2**31), 2**31 - 1, 99):
        check_refusal(person.load_model(version))
    for goal in BAD_GOALS:
        status, result = person.train(**goal)
        assert status == GoalStatus.STATUS_ABORTED
        check_refusal(result)
    counts = person.list_samples()
    assert dict(zip(counts.labels, counts.counts, strict=True)) == {'cat': TAUGHT, 'dog': TAUGHT}
    goes_on(person)
    check_log(node)


@pytest.mark.usefixtures('taught_data')
def test_hostile_parameters_and_transitions_are_rejected_and_the_node_continues(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node()
    person.wait_until_ready().camera().show(TAUGHT_IMAGES['cat'])
    for name, value in BAD_PARAMETERS:
        parameter = Parameter(name=name, value=value)
        (result,) = person.call(SetParameters, 'set_parameters', parameters=[parameter]).results
        assert not result.successful, name
        assert 10 < len(result.reason) < LONGEST_LINE, ascii(result.reason[:LONGEST_LINE])
    for number, label in ((200, ''), (0, 'fly'), (0, 'x' * 1000)):
        transition = Transition(id=number, label=label)
        assert not person.call(ChangeState, 'change_state', transition=transition).success
    assert person.state == 'active'
    goes_on(person)
    check_log(node)


@pytest.mark.usefixtures('taught_data')
def test_a_picture_of_an_impossible_time_can_be_added_and_listed(
    start_node: Any, person: Person
) -> None:
    start_node()
    person.wait_until_ready()
    picture = compressed_message(JPEG)
    picture.header.stamp.sec, picture.header.stamp.nanosec = LAST_SECOND, 2**32 - 1
    assert person.add('cat', image=picture).success
    newest = person.list_samples(limit=1)
    assert newest.success, newest.message
    assert newest.samples[0].stamp.sec == LAST_SECOND


def is_told(words: str) -> Callable[[Any], bool]:
    return lambda array: any(words in status.message for status in array.status)


@pytest.mark.usefixtures('taught_data')
def test_hostile_images_and_detections_are_reported_and_the_node_continues(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node({'camera.detections_topic': '/boxes'})
    camera = person.wait_until_ready().camera()
    arrays = person.collect(DiagnosticArray, '/diagnostics')
    encoded = image_message(pattern(1))
    encoded.encoding = '\x1b[2J' * 100_000
    long = image_message(pattern(1))
    long.encoding = 'x' * 33
    sides = image_message(pattern(1))
    sides.width, sides.height = 2**31, 2**31
    for message, words in (
        (encoded, '400000 characters'),
        (long, "x' is none of rgb8"),
        (sides, 'more than 64 megapixels'),
    ):
        camera.show(message)
        arrays.wait_for(is_told(words), since=len(arrays))
    camera.show(TAUGHT_IMAGES['cat'])
    answers = person.collect(Detection2DArray, 'camera/detections')
    detector = person.detector('/image')
    detector.boxes = [box_message('x' * 256, 32, 24, 8, 8)]
    assert 'the id of a box' in node.wait_for_log('unusable detections')
    detector.boxes = [box_message('x', 32, 24, 8, 8)] * 10_001
    node.wait_for_log('10001 boxes are more than 10000')
    detector.boxes = [
        box_message('nowhere', math.nan, math.inf, 1e308, 1e308),
        box_message('good', 32, 24, 64, 48, score=math.nan),
    ]
    answers.wait_for(lambda each: [box.id for box in each.detections] == ['good'])
    goes_on(person)
    check_log(node)
