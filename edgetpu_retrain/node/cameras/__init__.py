# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Subscribes to images and detections, and converts the messages to frames."""
