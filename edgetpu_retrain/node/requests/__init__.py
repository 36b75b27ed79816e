# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Shared by all services: responses, the log of requests, futures, background threads."""
