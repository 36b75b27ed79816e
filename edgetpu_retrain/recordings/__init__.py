# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings: reads folders of pictures and rosbag2 bags, one picture at a time; needs no ROS."""
