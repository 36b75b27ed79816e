# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Work on the data folder for the page, without ROS and HTTP."""
