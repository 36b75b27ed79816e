# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Which model serves, and how a new one is trained and swapped in."""
