# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Durable files and folders, locks, and the ownership of the data folder."""
