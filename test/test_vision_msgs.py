# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The messages of vision_msgs, installed or from underlay/."""

from __future__ import annotations

from pathlib import Path
import re

ROOT = Path(__file__).parents[1]

# Fields of ros-perception/vision_msgs 4.1.1 (branch ros2), in the order of serialization.
VISION_MSGS = {
    'BoundingBox2D': {
        'center': 'vision_msgs/Pose2D',
        'size_x': 'double',
        'size_y': 'double',
    },
    'Classification': {
        'header': 'std_msgs/Header',
        'results': 'sequence<vision_msgs/ObjectHypothesis>',
    },
    'Detection2D': {
        'header': 'std_msgs/Header',
        'results': 'sequence<vision_msgs/ObjectHypothesisWithPose>',
        'bbox': 'vision_msgs/BoundingBox2D',
        'id': 'string',
    },
    'Detection2DArray': {
        'header': 'std_msgs/Header',
        'detections': 'sequence<vision_msgs/Detection2D>',
    },
    'LabelInfo': {
        'header': 'std_msgs/Header',
        'class_map': 'sequence<vision_msgs/VisionClass>',
        'threshold': 'float',
    },
    'ObjectHypothesis': {'class_id': 'string', 'score': 'double'},
    'ObjectHypothesisWithPose': {
        'hypothesis': 'vision_msgs/ObjectHypothesis',
        'pose': 'geometry_msgs/PoseWithCovariance',
    },
    'Point2D': {'x': 'double', 'y': 'double'},
    'Pose2D': {'position': 'vision_msgs/Point2D', 'theta': 'double'},
    'VisionClass': {'class_id': 'uint16', 'class_name': 'string'},
    'VisionInfo': {
        'header': 'std_msgs/Header',
        'method': 'string',
        'database_location': 'string',
        'database_version': 'int32',
    },
}


def test_vision_msgs_has_the_fields_of_upstream() -> None:
    """Holds for the real package and for the messages in underlay/."""
    import vision_msgs.msg

    for name, fields in VISION_MSGS.items():
        found = getattr(vision_msgs.msg, name).get_fields_and_field_types()
        assert list(found.items()) == list(fields.items()), name


def test_underlay_has_exactly_these_messages() -> None:
    underlay = ROOT / 'underlay' / 'vision_msgs'
    rules = (underlay / 'CMakeLists.txt').read_text(encoding='utf-8')
    assert set(re.findall(r'msg/(\w+)\.msg', rules)) == set(VISION_MSGS)
    assert {path.stem for path in (underlay / 'msg').iterdir()} == set(VISION_MSGS)
