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
