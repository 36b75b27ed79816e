# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Publishes a webcam or a video file as images, for those who have no camera driver."""
