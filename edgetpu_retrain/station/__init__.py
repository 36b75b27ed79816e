# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""`make teach`: node, page and camera, started and stopped together, without ros2 launch."""
