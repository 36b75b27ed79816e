# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Starts and stops child processes, on a ROS domain of their own."""
