# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The teaching page: its HTTP server, and the files that the server serves."""
