# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A ROS client for your own program: add samples to a retrain node, train it, receive its results.

>>> from edgetpu_retrain.client import RetrainClient  # doctest: +SKIP
>>> with RetrainClient() as robot:  # doctest: +SKIP
...     robot.wait_until_ready()
...     robot.add_samples('mug', count=20)
...     robot.add_samples('bottle', count=20)
...     training = robot.train()
...     for feedback in training:
...         print(feedback.iteration, feedback.loss)
...     print(training.result().message)
"""

from edgetpu_retrain.client.connection import RetrainClientError
from edgetpu_retrain.client.retrain_client import RetrainClient
from edgetpu_retrain.client.training import Training

__all__ = ['RetrainClient', 'RetrainClientError', 'Training']
