# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""When pictures are drawn and when not, with a real node and a real subscription."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import Any

import cv2
from edgetpu_retrain.node.cameras.image_transport import RAW
from edgetpu_retrain.node.classifications.annotated_pictures import AnnotatedPictures
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.health.fault_counter import FaultCounter
from edgetpu_retrain.pictures.annotation import Annotation
import numpy as np
import rclpy
from sensor_msgs.msg import CompressedImage
from support.running_node import image_message, PATIENCE_S, pattern, Person

PERIOD_S = 0.2
ANNOTATION = Annotation('cat', 0.75, unknown=False, model_version=3)


class AwaitedFaults(FaultCounter):
    """Faults that a test can wait for."""

    def __init__(self) -> None:
        super().__init__(print)
        self.added = threading.Event()

    def add(self, camera: str, kind: str, reason: str) -> None:
        super().add(camera, kind, reason)
        self.added.set()


def frame(**changes: Any) -> Frame:
    message = image_message(pattern(1))
    for name, value in changes.items():
        setattr(message, name, value)
    return Frame('front', RAW, message, 0.0)


def next_picture(annotated: AnnotatedPictures, shown: Frame, pictures: queue.Queue[Any]) -> Any:
    """Show a frame as often as a camera would, until its picture comes."""
    for _ in range(round(PATIENCE_S / PERIOD_S)):
        annotated.add(shown, ANNOTATION)
        with contextlib.suppress(queue.Empty):
            return pictures.get(timeout=PERIOD_S)
    raise TimeoutError('no picture came')


def test_frames_are_drawn_only_while_somebody_subscribes() -> None:
    with Person('/drawing') as viewer:
        node = rclpy.create_node('drawing', context=viewer.context)
        annotated = AnnotatedPictures(node, ('front', 'rear'))
        faults = annotated._faults = AwaitedFaults()
        unseen, broken, seen = frame(), frame(step=1), frame()
        annotated.add(unseen, ANNOTATION)
        pictures: queue.Queue[Any] = queue.Queue()
        viewer.node.create_subscription(
            CompressedImage, '/drawing/front/annotated/compressed', pictures.put, 10
        )
        next_picture(annotated, frame(), pictures)
        # A malformed frame does not stop the thread.
        annotated.add(broken, ANNOTATION)
        assert faults.added.wait(PATIENCE_S)
        assert 'step is 1 bytes' in faults.latest('front')
        message = next_picture(annotated, seen, pictures)
        annotated.close()
        node.destroy_node()
    assert seen.picture.whole_bytes
    assert not unseen.picture.whole_bytes, 'without subscribers its pixels are not converted'
    drawn = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape == (240 + 64, 320, 3)
