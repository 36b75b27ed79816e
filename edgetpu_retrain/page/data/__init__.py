# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What the page shows of the data folder; these modules know nothing of ROS and of HTTP."""
