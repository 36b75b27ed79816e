# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The targets: each module in ``targets/`` has one with the module's name."""

from __future__ import annotations

import importlib
from pathlib import Path

from fuzz.target import Target

_FOLDER = Path(__file__).resolve().parent / 'targets'


def target_names() -> tuple[str, ...]:
    """Return the names of all targets, in alphabetical order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob('[!_]*.py')))


def load_target(name: str) -> Target:
    """Import a target, ``TARGET`` in the module with its name."""
    target: Target = importlib.import_module(f'fuzz.targets.{name}').TARGET
    return target
