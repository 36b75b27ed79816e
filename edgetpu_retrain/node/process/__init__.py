# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Tunes memory, threads and the GIL of the node's process."""
