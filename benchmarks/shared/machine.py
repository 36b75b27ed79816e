# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A description of the machine and the software that a benchmark runs on."""

from __future__ import annotations

from importlib.metadata import distributions
import os
from pathlib import Path
import platform
import sys


def machine(*names: str) -> dict[str, str]:
    """
    Return processor, system, versions of Python, ROS and distributions, and the command line.

    Args:
        names: distributions, as pip names them; those that are not installed are left out.
    """
    model = ''
    information = Path('/proc/cpuinfo')
    if information.is_file():
        lines = information.read_text().splitlines()
        model = next((line.split(':')[1].strip() for line in lines if 'model name' in line), '')
    installed = {found.name: found.version for found in distributions()}
    return {
        'processor': f'{model or platform.processor()}, {os.cpu_count()} CPUs',
        'system': platform.platform(),
        'python': platform.python_version(),
        'ros': os.environ.get('ROS_DISTRO', ''),
        **{name: installed[name] for name in names if name in installed},
        'command': ' '.join(['python', *sys.argv]),
    }
