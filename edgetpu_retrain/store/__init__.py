# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What survives a restart: samples, model versions and the folder they lie in."""
