# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line without ROS: a thin layer over packages that the node uses too."""
