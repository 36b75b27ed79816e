# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""
Teach a robot new classes on the robot itself, by retraining a model's last layer.

``SoftmaxRegression`` has the interface of Coral's class of the same name.  Importing this package
only needs numpy, neither ROS nor a TensorFlow Lite runtime.
"""

from edgetpu_retrain.softmax_regression import SoftmaxRegression

__all__ = ['SoftmaxRegression']
