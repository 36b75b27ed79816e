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
"""From a classifier's scores to the standard message."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.learning.head import FloatArray
import numpy as np
from vision_msgs.msg import Classification, ObjectHypothesis


def classification_message(
    header: Any, labels: tuple[str, ...], scores: FloatArray, max_results: int
) -> Classification:
    """
    Return the classification of one image.

    Args:
        header: the image's own, so that results can be matched with images.
        labels: C class names in output order; they become the class ids.
        scores: float32 ``[C]``.
        max_results: how many classes to list; 0 = all.

    Returns:
        A ``vision_msgs/Classification``, best class first; equals in output order.
    """
    best_first = np.argsort(-scores, kind='stable')[: max_results or None]
    results = [
        ObjectHypothesis(class_id=labels[index], score=float(scores[index]))
        for index in best_first
    ]
    return Classification(header=header, results=results)
