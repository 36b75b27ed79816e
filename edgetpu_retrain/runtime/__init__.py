# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Loads and runs .tflite models on the CPU or an Edge TPU."""
