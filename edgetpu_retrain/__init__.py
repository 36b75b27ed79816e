# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Teach a robot new classes on the robot itself, by retraining a model's last layer.

``SoftmaxRegression`` has the interface of Coral's class of the same name.  It, and numpy with it,
is imported at its first use.  Neither ROS nor a TensorFlow Lite runtime is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgetpu_retrain.softmax_regression import SoftmaxRegression
else:

    def __getattr__(name: str) -> object:
        # The programs of this package handle signals before they import numpy.
        if name == 'SoftmaxRegression':
            from edgetpu_retrain.softmax_regression import SoftmaxRegression

            return SoftmaxRegression
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


__all__ = ['SoftmaxRegression']
