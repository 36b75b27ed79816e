# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The retrain node as a child process, and the helpers of its tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import sys

from support.person import Person
from support.robot_camera import Camera, Detector
from support.robot_messages import (
    box_message,
    compressed_message,
    image_message,
    pattern,
    Picture,
    TAUGHT,
    TAUGHT_IMAGES,
)
from support.robot_requests import Goal, wait_for_response
from support.running_program import RunningProgram
from support.waiting import Collected, PATIENCE_S

__all__ = [
    'box_message',
    'Camera',
    'Collected',
    'compressed_message',
    'Detector',
    'Goal',
    'image_message',
    'PATIENCE_S',
    'pattern',
    'Person',
    'Picture',
    'RunningNode',
    'RunningProgram',
    'TAUGHT',
    'TAUGHT_IMAGES',
    'wait_for_response',
]


class RunningNode(RunningProgram):
    """
    The retrain node as a child process.

    Args:
        python_path: PYTHONPATH of the process.
        parameters: name of a parameter to its value, as on the command line.
        arguments: further arguments after ``--ros-args``.
        environment: changes to the environment of this process.
        program: arguments of Python that run the node.
    """

    def __init__(
        self,
        python_path: str,
        parameters: Mapping[str, object],
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = ('-m', 'edgetpu_retrain.node.main'),
    ) -> None:
        given = [part for name, value in parameters.items() for part in ('-p', f'{name}:={value}')]
        super().__init__(
            [sys.executable, *program, '--ros-args', *given, *arguments],
            {'PYTHONPATH': python_path, **(environment or {})},
        )
