# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads and writes model files (.tflite); needs neither ROS nor a TFLite runtime."""
