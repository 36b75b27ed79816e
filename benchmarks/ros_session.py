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
"""A benchmark's own place in ROS, from which it leaves in order when it is told to end."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import signal
import sys
from typing import Any

import rclpy
from rclpy.signals import SignalHandlerOptions


@contextlib.contextmanager
def ros_session() -> Iterator[None]:
    """
    Be in ROS while the context lasts.

    SIGTERM ends the process as SIGINT does: node, cameras and clients are processes of their own,
    and those that it leaves behind would go on to publish into whatever is measured next.
    """
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        rclpy.try_shutdown()


def _end(number: int, _frame: Any) -> None:
    sys.exit(128 + number)
