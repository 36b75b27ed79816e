# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Access control of the page: hosts, sessions, roles and limits."""
