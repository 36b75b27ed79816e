# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds all processes of a test by a variable in their environment, which children inherit."""

from __future__ import annotations

from pathlib import Path


def marked_processes(mark: str) -> dict[int, str]:
    """Return the running processes with ``NAME=value`` in the environment: id to command line."""
    return {
        int(process.name): (process / 'cmdline').read_text().replace('\0', ' ')
        for process in Path('/proc').iterdir()
        if process.name.isdigit() and mark in _environment(process)
    }


def _environment(process: Path) -> str:
    try:
        return (process / 'environ').read_text(errors='replace')
    except OSError:
        return ''
