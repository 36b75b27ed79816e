# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Teaches with the buttons of a gamepad, whose state arrives as sensor_msgs/Joy."""
