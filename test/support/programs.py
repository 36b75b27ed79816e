# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The programs that colcon installs."""

from __future__ import annotations

NAME = 'edgetpu_retrain'
PROGRAMS = (
    f'{NAME}_node',
    f'{NAME}_demo',
    f'{NAME}_fleet_demo',
    f'{NAME}_teach',
    f'{NAME}_webcam',
    'cli',
    'fleet',
    'gamepad',
    'page',
    'replay',
    'webcam',
)
