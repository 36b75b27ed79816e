# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs programs in processes whose memory allocator is not tuned by the environment."""

from __future__ import annotations

import os
import subprocess
import sys


def run(program: str, package_path: str, **variables: str) -> str:
    """
    Return the output of a Python program.

    Args:
        program: its source code.
        package_path: its PYTHONPATH.
        variables: additional variables of its environment.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith('MALLOC_')}
    return subprocess.run(
        [sys.executable, '-c', program],
        env={**ours, 'PYTHONPATH': package_path, **variables},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
