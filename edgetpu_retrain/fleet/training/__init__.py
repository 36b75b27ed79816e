# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Trains a robot on the fleet's samples that it trusts."""
