# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
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
