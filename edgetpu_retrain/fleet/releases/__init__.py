# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Released heads: signed, staged, and taken through the gate of each robot."""
