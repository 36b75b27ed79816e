# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
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
