# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Questions: frames, and samples of the fleet, that wait for a label."""
