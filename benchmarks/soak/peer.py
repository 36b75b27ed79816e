# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A node that does nothing but respond, to compare the soak test's response times with.

Its response times are those of the machine and the middleware.  It ends when its standard input is
closed.
"""

from __future__ import annotations

from typing import Any

from benchmarks.shared.dialogue import requests
from benchmarks.shared.ros_session import spinning_node
from std_srvs.srv import Trigger

PEER_SERVICE = '/soak_peer/respond'


def main() -> None:
    """Respond until the standard input is closed."""
    with spinning_node('soak_peer') as node:
        node.create_service(Trigger, PEER_SERVICE, _respond)
        for _ in requests():
            pass


def _respond(_: Any, response: Any) -> Any:
    response.success = True
    return response


if __name__ == '__main__':
    main()
