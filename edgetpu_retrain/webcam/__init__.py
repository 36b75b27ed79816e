# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Publishes images from a webcam or a video file, for users without a camera driver."""
