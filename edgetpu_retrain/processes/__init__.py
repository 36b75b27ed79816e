# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What programs share: their imports, parameters and ports, and child processes."""
