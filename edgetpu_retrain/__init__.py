# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Teach a robot new classes on the robot itself, by retraining a model's last layer.

``SoftmaxRegression`` has the interface of Coral's class of the same name.  Importing this package
needs numpy, but neither ROS nor a TensorFlow Lite runtime.
"""

from edgetpu_retrain.softmax_regression import SoftmaxRegression

__all__ = ['SoftmaxRegression']
