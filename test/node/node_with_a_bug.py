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
"""The node's program for tests: one method, named by the environment, has a bug."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from edgetpu_retrain.node.main import main
import rclpy


def fail(*_arguments: Any, **_options: Any) -> Any:
    """Fail in a way that nobody has thought of, or because a signal has ended ROS."""
    if 'ROS_HAS_ENDED' in os.environ:
        rclpy.shutdown()
    raise ZeroDivisionError('a bug')


if __name__ == '__main__':
    module, owner, method = os.environ['BUG'].split()
    setattr(getattr(importlib.import_module(module), owner), method, fail)
    sys.exit(main())
