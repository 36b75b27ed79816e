# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds all processes of a test by a variable in their environment, which children inherit."""

from __future__ import annotations

from pathlib import Path


def marked_processes(mark: str) -> dict[int, str]:
    """Return the running processes with ``NAME=value`` in the environment: id to command line."""
    return {
        int(process.name): _text_of(process / 'cmdline').replace('\0', ' ')
        for process in Path('/proc').iterdir()
        if process.name.isdigit() and mark in _text_of(process / 'environ')
    }


def _text_of(file: Path) -> str:
    # The process may end at any time.
    try:
        return file.read_text(errors='replace')
    except OSError:
        return ''
