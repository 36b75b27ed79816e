# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Long work in a child process of low priority, which ends with its parent."""
