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
from lifecycle_msgs.srv import GetState
from std_srvs.srv import Trigger

PEER_NODE = '/soak_peer'


def main() -> None:
    """Respond until the standard input is closed."""
    with spinning_node(PEER_NODE.removeprefix('/')) as node:
        node.create_service(Trigger, '~/respond', _respond)
        # The client asks for the state before each request.
        node.create_service(GetState, '~/get_state', lambda _, response: response)
        for _ in requests():
            pass


def _respond(_: Any, response: Any) -> Any:
    response.success = True
    return response


if __name__ == '__main__':
    main()
