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
Raises a clear error if ROS is missing; imported before any ROS module by modules that need ROS.

``pip install`` installs the whole package, but without ROS only the command line and the packages
below it work.
"""

from importlib.util import find_spec

from edgetpu_retrain.errors import RosMissingError

if find_spec('rclpy') is None:
    raise RosMissingError(
        'node, replay and demo need ROS 2, and Python cannot import rclpy: source ROS 2 and the '
        "workspace with this package, or run 'make setup' in its repository and activate .venv "
        '(the command line and the classes for Python work without ROS)'
    )
