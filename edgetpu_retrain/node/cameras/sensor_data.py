# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The quality of service in which sensors, and what follows them, are listened to."""

from __future__ import annotations

from rclpy.qos import qos_profile_sensor_data, QoSProfile


def sensor_data_qos(depth: int | None = None) -> QoSProfile:
    """
    Return a sensor-data profile of our own, because overriding changes it in place.

    Args:
        depth: how many messages may wait, None = as in the standard profile.
    """
    profile = qos_profile_sensor_data
    return QoSProfile(
        history=profile.history,
        depth=profile.depth if depth is None else depth,
        reliability=profile.reliability,
        durability=profile.durability,
    )
