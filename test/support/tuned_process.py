# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Programs in processes of their own, in which nothing is tuned but what they tune."""

from __future__ import annotations

import os
import subprocess
import sys


def run(program: str, package_path: str, **variables: str) -> str:
    """
    Return what a Python program prints.

    Args:
        program: its text.
        package_path: its PYTHONPATH.
        variables: of its environment.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith('MALLOC_')}
    return subprocess.run(
        [sys.executable, '-c', program],
        env={**ours, 'PYTHONPATH': package_path, **variables},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
