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
"""The program replay: checks for ROS, then plays a bag."""

from __future__ import annotations

import sys

from edgetpu_retrain.errors import RosMissingError


def main(arguments: list[str] | None = None) -> int:
    """
    Play a bag.

    Args:
        arguments: the command line with ROS arguments, None = this process's own.

    Returns:
        The exit code: 0 (also after a signal), 1 if the bag cannot be read or ROS is missing, 2
        for a usage error.
    """
    try:
        from edgetpu_retrain.replay.command import run
    except RosMissingError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
