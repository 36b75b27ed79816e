# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Metadata in a model file: labels, packed files, identity and unknown detector."""
