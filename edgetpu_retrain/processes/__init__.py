# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A program's imports, and child processes that end together, on a private ROS domain or not."""
