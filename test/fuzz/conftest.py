# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The fuzzing programs are beside each other: their folder is put on the path."""

from __future__ import annotations

from pathlib import Path
import sys

sys.path.append(str(Path(__file__).parents[2] / 'fuzz'))
