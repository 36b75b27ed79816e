# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes the default extractor's recipe (tools/) importable: it is not installed."""

from pathlib import Path
import sys

# Last, so that the package itself still comes from where it is installed.
sys.path.append(str(Path(__file__).parents[2]))
