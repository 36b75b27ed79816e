# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A fleet: robots share labelled samples through a hub, and each trains on the samples it trusts.

The libraries that a fleet needs are optional dependencies of this package, see
:mod:`edgetpu_retrain.fleet.needs_libraries`.
"""
