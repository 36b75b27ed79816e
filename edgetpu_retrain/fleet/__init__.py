# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A fleet: robots share labelled evidence through a hub, and each trains itself from what it trusts.

Its libraries are optional, see :mod:`edgetpu_retrain.fleet.needs_libraries`.
"""
