# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelAnnouncement: the latched topics with the serving model and its class names."""

from __future__ import annotations

from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.store.models.choice_file import Choice
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from vision_msgs.msg import LabelInfo, VisionClass, VisionInfo

METHOD = 'edgetpu_retrain'

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Late subscribers receive the last message (https://design.ros2.org/articles/qos.html)."""

# The class_id of a vision_msgs/VisionClass has 16 bits.
_MOST_CLASSES = 65536


class ModelAnnouncement:
    """
    Publishes ``~/vision_info`` and ``~/label_info`` whenever another model serves.

    Args:
        node: creates the publishers.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._vision_info = node.create_publisher(VisionInfo, '~/vision_info', LATCHED)
        self._label_info = node.create_publisher(LabelInfo, '~/label_info', LATCHED)

    def close(self) -> None:
        """Destroy the publishers."""
        self._node.destroy_publisher(self._vision_info)
        self._node.destroy_publisher(self._label_info)

    def announce(self, model: LoadedModel, choice: Choice) -> None:
        """
        Publish which model serves.

        Args:
            model: the serving model.
            choice: the choice of this model; ``choice.swaps`` is published as
                ``database_version``.
        """
        vision_info = VisionInfo(
            method=METHOD, database_location=str(model.version.path), database_version=choice.swaps
        )
        # Classifications have no minimum score, so the threshold is 0.
        label_info = LabelInfo(
            class_map=[
                VisionClass(class_id=number, class_name=label)
                for number, label in enumerate(model.labels[:_MOST_CLASSES])
            ],
            threshold=0.0,
        )
        stamp = self._node.get_clock().now().to_msg()
        vision_info.header.stamp = label_info.header.stamp = stamp
        self._vision_info.publish(vision_info)
        self._label_info.publish(label_info)
