# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Released heads: signed, offered to some robots first, and examined by the gate of each robot."""
