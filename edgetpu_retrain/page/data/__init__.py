# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the data folder for the page; does not depend on ROS or HTTP."""
