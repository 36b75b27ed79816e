# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks JPEG, PNG and WEBP files before they are decoded."""
