# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The ROS node: parameters, cameras, services and the training action."""
