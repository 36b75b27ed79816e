# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Creates ``vision_msgs`` messages from predictions."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.label import UNKNOWN
from edgetpu_retrain.runtime.models.prediction import Prediction
import numpy as np
from vision_msgs.msg import Classification, Detection2D, ObjectHypothesis, ObjectHypothesisWithPose


def classification_message(
    header: Any, labels: tuple[str, ...], prediction: Prediction, max_results: int
) -> Classification:
    """
    Return the classification of an image.

    Args:
        header: header of the image, so that classifications can be matched with images.
        labels: C class names in the order of the scores; they become the class ids.
        prediction: the prediction for this image, or for the camera's last images.
        max_results: maximum number of hypotheses; 0 for all.

    Returns:
        A ``vision_msgs/Classification``: the predicted class first, then the other classes by
        score.  The background is listed as 'unknown'.
    """
    return Classification(header=header, results=_hypotheses(labels, prediction, max_results))


def detection_message(
    detection: Any, labels: tuple[str, ...], prediction: Prediction, max_results: int
) -> Detection2D:
    """
    Return a detection with the model's classes instead of the detector's.

    Args:
        detection: the ``vision_msgs/Detection2D``; header, box and id are kept.
        labels: C class names in the order of the scores; they become the class ids.
        prediction: the prediction for the box.
        max_results: maximum number of hypotheses; 0 for all.
    """
    return Detection2D(
        header=detection.header,
        bbox=detection.bbox,
        id=detection.id,
        results=[
            ObjectHypothesisWithPose(hypothesis=hypothesis)
            for hypothesis in _hypotheses(labels, prediction, max_results)
        ],
    )


def _hypotheses(
    labels: tuple[str, ...], prediction: Prediction, max_results: int
) -> list[ObjectHypothesis]:
    names = (*labels, UNKNOWN)
    scores = [*prediction.scores.tolist(), prediction.unknown_score]
    # UNKNOWN_CLASS is -1, the index of the last name and score.
    best = prediction.best % len(names)
    left_out = {best, len(labels) if prediction.background is None else prediction.background}
    best_first = np.argsort(np.negative(scores), kind='stable').tolist()
    order = [best, *(index for index in best_first if index not in left_out)]
    return [
        ObjectHypothesis(class_id=names[index], score=scores[index])
        for index in order[: max_results or None]
    ]
