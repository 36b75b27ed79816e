# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line without ROS: python3 -m edgetpu_retrain."""

import sys

from edgetpu_retrain.command_line.main import main

if __name__ == '__main__':
    sys.exit(main())
