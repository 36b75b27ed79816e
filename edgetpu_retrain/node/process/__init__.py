# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Tunes memory, GIL and thread priorities of the node's process."""
