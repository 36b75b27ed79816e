# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""The targets: each module in ``targets/`` holds one, which has the module's name."""

from __future__ import annotations

import importlib
from pathlib import Path

from target import Target

_FOLDER = Path(__file__).resolve().parent / 'targets'


def target_names() -> tuple[str, ...]:
    """Return the names of all targets, in alphabetical order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob('[!_]*.py')))


def load_target(name: str) -> Target:
    """Import one target, ``TARGET`` in the module of its name."""
    target: Target = importlib.import_module(f'targets.{name}').TARGET
    return target
