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
"""The node's program for tests, on an rclpy that lacks what Humble's lacks."""

from __future__ import annotations

import sys

from edgetpu_retrain.node.main import main
from rclpy.node import Node
from rclpy.subscription import Subscription

LACKING = ((Node, 'add_post_set_parameters_callback'), (Subscription, 'get_publisher_count'))

if __name__ == '__main__':
    for owner, method in LACKING:
        if hasattr(owner, method):
            delattr(owner, method)
    sys.exit(main())
