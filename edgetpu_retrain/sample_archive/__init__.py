# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Exports samples as a zip archive or as picture folders, and imports such archives."""
