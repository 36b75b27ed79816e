# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The demo's camera: a node that publishes views of photographs, as if a camera moved over them.

The parameter ``scene`` selects what the camera shows (see :mod:`edgetpu_retrain.demo.scenes`).
The node publishes rgb8 images with best-effort QoS, as some camera drivers do.  After each image,
it publishes the true class of the image.  The retrain node does not subscribe to the true classes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from edgetpu_retrain.demo.camera_motion import RgbArray
from edgetpu_retrain.demo.scenes import (
    CAMERA_NODE,
    EXAM_FRAMES,
    EXAM_TRUTH_TOPIC,
    Frame,
    IMAGE_TOPIC,
    play,
    SCENE_EXAM,
    SCENE_EXAM_PREFIX,
    SCENE_IDLE,
    SCENE_PARAMETER,
    TEACHING_TRUTH_TOPIC,
)
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.processes.joining import joining_domain
from edgetpu_retrain.processes.loose_parameters import declare_number
from edgetpu_retrain.processes.node_program import run_node
from rcl_interfaces.msg import SetParametersResult
import rclpy
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data, QoSProfile
from sensor_msgs.msg import Image
from vision_msgs.msg import Classification, ObjectHypothesis

FRAME_ID = 'demo_camera_optical_frame'

# Ranges of the parameters frames_per_second, Hz, and seed.
_RATE = (0.01, 1000.0)
_SEED = (0, 2**53)


class CameraNode(Node):
    """
    Publishes the frames of the scene that the parameter ``scene`` names, at a fixed rate.

    Raises:
        RequestError: if a parameter is invalid.
    """

    def __init__(self) -> None:
        """Start with the scene ``idle``, which has no frames, unless ``scene`` is overridden."""
        super().__init__(CAMERA_NODE)
        rate = declare_number(self, 'frames_per_second', 10.0, _RATE, 'frame rate, Hz')
        self._seed = int(declare_number(self, 'seed', 0, _SEED, 'random seed of the frames'))
        self._scene = SCENE_IDLE
        self._frames: Iterator[Frame] = iter(())
        self._images = self.create_publisher(Image, IMAGE_TOPIC, qos_profile_sensor_data)
        reliable = QoSProfile(depth=EXAM_FRAMES)
        self._teaching_truth = self.create_publisher(
            Classification, TEACHING_TRUTH_TOPIC, reliable
        )
        self._exam_truth = self.create_publisher(Classification, EXAM_TRUTH_TOPIC, reliable)
        self.add_on_set_parameters_callback(self._on_set_parameters)
        try:
            self.declare_parameter(SCENE_PARAMETER, SCENE_IDLE)
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise RequestError(str(error)) from error
        self.create_timer(1.0 / rate, self._on_timer)

    def _on_set_parameters(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            if parameter.name == SCENE_PARAMETER:
                try:
                    self._frames = play(parameter.value, self._seed)
                except (ValueError, FileNotFoundError) as error:
                    return SetParametersResult(successful=False, reason=str(error))
                self._scene = parameter.value
        return SetParametersResult(successful=True)

    def _on_timer(self) -> None:
        frame = next(self._frames, None)
        if frame is None:
            return
        image = image_message(frame.picture)
        image.header.stamp = self.get_clock().now().to_msg()
        image.header.frame_id = FRAME_ID
        self._images.publish(image)
        truth = Classification(
            header=image.header, results=[ObjectHypothesis(class_id=frame.subject, score=1.0)]
        )
        # Publish the true class last: when it arrives, the image is known to be published.
        exam = self._scene == SCENE_EXAM or self._scene.startswith(SCENE_EXAM_PREFIX)
        (self._exam_truth if exam else self._teaching_truth).publish(truth)


def image_message(picture: RgbArray) -> Image:
    """
    Convert a picture to a ``sensor_msgs/Image`` with the encoding rgb8 and an empty header.

    Args:
        picture: uint8 ``[height, width, 3]`` RGB.
    """
    height, width = picture.shape[:2]
    return Image(
        height=height,
        width=width,
        encoding='rgb8',
        is_bigendian=0,
        step=3 * width,
        # With any type but array, the message class checks each byte, which is slow.
        data=array('B', picture.tobytes()),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the camera node until a signal, and return the exit code, see :func:`run_node`."""
    return run_node(arguments, _spin)


def _spin(_: ExitStack) -> None:
    with joining_domain():
        node = CameraNode()
    rclpy.spin(node)


if __name__ == '__main__':
    raise SystemExit(main())
