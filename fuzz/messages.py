# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages and requests for the node, with fields from an untrusted source."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from fuzz.message_fields import Fields

_SMALL_IMAGE_BYTES = 1 << 16
# Encodings with planes of colour below those of luma: rows of `step` bytes for two of pixels.
_ROWS_OF_TWO = {'nv12': 3, 'nv21': 3, 'i420': 3, 'yuv420': 3, 'nv24': 6}


def header(fields: Fields) -> Any:
    """Return a ``std_msgs/Header``."""
    return SimpleNamespace(
        stamp=SimpleNamespace(sec=fields.signed(32, 5), nanosec=fields.whole(32, 7)),
        frame_id=fields.text('camera'),
    )


def image(fields: Fields, encoding: str = 'rgb8', side: int = 8) -> Any:
    """Return a ``sensor_msgs/Image``, most of which have as many bytes as they say."""
    message = SimpleNamespace(
        header=header(fields),
        height=fields.whole(32, side),
        width=fields.whole(32, side),
        encoding=fields.text(encoding),
        is_bigendian=fields.flag(False),
        step=fields.whole(32, 4 * side),
        data=b'',
    )
    fits = fields.flag(True)
    data = fields.data(bytes(range(64)))
    wanted = message.step * message.height * _ROWS_OF_TWO.get(message.encoding, 2) // 2
    if fits and wanted <= _SMALL_IMAGE_BYTES:
        data = (data * (wanted // max(1, len(data)) + 1))[:wanted].ljust(wanted, b'\0')
    message.data = data
    return message


def region_of_interest(fields: Fields) -> Any:
    """Return a ``sensor_msgs/RegionOfInterest``."""
    return SimpleNamespace(
        x_offset=fields.whole(32, 2),
        y_offset=fields.whole(32, 2),
        width=fields.whole(32, 4),
        height=fields.whole(32, 4),
        do_rectify=fields.flag(False),
    )


def detections(fields: Fields) -> Any:
    """Return a ``vision_msgs/Detection2DArray``."""
    return SimpleNamespace(
        header=header(fields),
        detections=[_detection(fields) for _ in range(fields.how_many(300, 2))],
    )


def _detection(fields: Fields) -> Any:
    position = SimpleNamespace(x=fields.number(4.0), y=fields.number(4.0))
    return SimpleNamespace(
        header=header(fields),
        id=fields.text('1'),
        bbox=SimpleNamespace(
            center=SimpleNamespace(position=position, theta=fields.number(0.0)),
            size_x=fields.number(3.0),
            size_y=fields.number(3.0),
        ),
        results=[
            SimpleNamespace(hypothesis=SimpleNamespace(score=fields.number(0.5)))
            for _ in range(fields.how_many(5, 1))
        ],
    )


def add_sample(fields: Fields, picture: bytes = b'') -> Any:
    """Return an ``AddSample.Request``."""
    return SimpleNamespace(
        label=fields.text('mug'),
        camera=fields.text('front'),
        count=fields.whole(32, 1 if picture else 20),
        min_interval_s=fields.number(0.1),
        timeout_s=fields.number(0.0),
        image=SimpleNamespace(
            header=header(fields), format=fields.text('jpeg'), data=fields.data(picture)
        ),
        roi=region_of_interest(fields),
        min_novelty=fields.number(0.05),
        recording=fields.text('kitchen'),
    )


def list_samples(fields: Fields) -> Any:
    """Return a ``ListSamples.Request``."""
    return SimpleNamespace(
        label=fields.text('mug'), limit=fields.whole(32, 5), before=fields.whole(64, 0)
    )


def remove_samples(fields: Fields) -> Any:
    """Return a ``RemoveSamples.Request``."""
    return SimpleNamespace(
        label=fields.text('mug'), n=fields.whole(32, 1), forever=fields.flag(False), ids=[]
    )


def relabel_samples(fields: Fields, label: str, ids: int) -> Any:
    """Return a ``RelabelSamples.Request``."""
    return SimpleNamespace(
        label=fields.text(label),
        ids=[fields.whole(64, index + 1) for index in range(fields.how_many(12_000, ids))],
        new_label=fields.text('cup'),
    )


def answer_questions(fields: Fields) -> Any:
    """Return an ``AnswerQuestions.Request``, which is one of ``GetPictures``, too."""
    return SimpleNamespace(
        label=fields.text('cup'),
        of=fields.text('questions'),
        ids=[fields.whole(64, index + 1) for index in range(fields.how_many(1200, 2))],
        limit=fields.whole(32, 5),
    )


def goal(fields: Fields) -> Any:
    """Return a ``Train.Goal``."""
    return SimpleNamespace(
        num_iter=fields.whole(32, 100),
        learning_rate=fields.number(0.1),
        batch_size=fields.whole(32, 100),
        reg=fields.number(0.001),
        weight_scale=fields.number(0.0),
        validation_fraction=fields.number(0.2),
        print_every=fields.whole(32, 10),
        seed=fields.signed(64, -1),
    )
