# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Trains a robot's head on those samples of the fleet that the robot trusts."""
