# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The recipe of the default extractor (tools/) is tested from the checkout: nobody installs it."""

from pathlib import Path
import sys

# Last, so that the package itself still comes from where it is installed.
sys.path.append(str(Path(__file__).parents[2]))
