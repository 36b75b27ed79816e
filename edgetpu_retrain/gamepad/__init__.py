# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Teaches with a gamepad, whose button states arrive as sensor_msgs/Joy."""
