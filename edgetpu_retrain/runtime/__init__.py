# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs .tflite models: interpreters and devices, extractor, classifier, engines."""
