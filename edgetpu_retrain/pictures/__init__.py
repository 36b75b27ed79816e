# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Decodes camera images and picture files to RGB, and draws annotated pictures."""
