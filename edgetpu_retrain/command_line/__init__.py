# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line: a thin layer over the packages that the node uses too; needs no ROS."""
