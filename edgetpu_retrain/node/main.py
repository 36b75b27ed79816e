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
"""The program edgetpu_retrain_node: tune the process, then run the node in it."""

from __future__ import annotations

import sys

from edgetpu_retrain.errors import RosMissingError
from edgetpu_retrain.node.process.tuning import tune_process


def main(arguments: list[str] | None = None) -> int:
    """
    Run the node until SIGINT or SIGTERM.

    Args:
        arguments: the command line with ROS arguments, None = this process's own.

    Returns:
        The exit code: 0 after a signal, 1 when the node could not start.
    """
    tune_process()
    # Not before: rclpy starts threads when it is imported, which already share memory then.
    try:
        from edgetpu_retrain.node.running import run
    except RosMissingError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
