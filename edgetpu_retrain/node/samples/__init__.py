# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The services that add, list and correct samples, and the thread that stores samples."""
