# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The roster: who may do what in a fleet, signed by the key of the fleet."""
