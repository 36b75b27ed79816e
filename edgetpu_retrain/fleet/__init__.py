# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A fleet: robots share labelled samples, and each trains itself from what it trusts."""
