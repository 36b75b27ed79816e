# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Child processes that are stopped together, optionally on a private ROS domain."""
