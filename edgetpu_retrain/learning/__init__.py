# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Trains a model's last layer (the head) on embeddings.

Its only required dependency is numpy.  It does not use ROS and does not access files.

``fit`` trains a head and needs no tuning.  ``edgetpu_retrain.SoftmaxRegression`` is a drop-in
replacement for Coral's class of the same name, and trains as Coral's class does.  Both use
``SgdStep`` and ``run_training_loop``.
"""

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.fitting import fit
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.learning.metrics import accuracy, confusion_matrix
from edgetpu_retrain.learning.sgd.loop import Progress
from edgetpu_retrain.learning.sgd.step import TrainingDiverged
from edgetpu_retrain.learning.training_report import TrainingReport
from edgetpu_retrain.learning.unknown import UnknownDetector

__all__ = [
    'FloatArray',
    'Head',
    'IntArray',
    'Progress',
    'TrainingDiverged',
    'TrainingReport',
    'UnknownDetector',
    'accuracy',
    'confusion_matrix',
    'fit',
]
