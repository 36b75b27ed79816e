# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The head in a model file: append it, find it, read its weights, cut it out."""
