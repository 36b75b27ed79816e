# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The exit codes of all programs."""

WORK_FAILED = 1
CALL_WAS_WRONG = 2
