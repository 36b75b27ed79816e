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
"""
A node that does nothing but answer, for ``benchmarks/soak.py``.

Its answers take what the machine and the middleware take in the same minutes.  It ends with its
standard input.
"""

from __future__ import annotations

import threading
from typing import Any

from node_dialogue import requests
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from std_srvs.srv import Trigger

PEER_SERVICE = '/soak_peer/answer'


def main() -> None:
    """Answer until there is no more input."""
    rclpy.init()
    node = rclpy.create_node('soak_peer')
    node.create_service(Trigger, PEER_SERVICE, _answer)
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def spin() -> None:
        try:
            executor.spin()
        except ExternalShutdownException:
            return

    threading.Thread(target=spin, daemon=True).start()
    for _ in requests():
        pass
    rclpy.try_shutdown()


def _answer(_: Any, response: Any) -> Any:
    response.success = True
    return response


if __name__ == '__main__':
    main()
