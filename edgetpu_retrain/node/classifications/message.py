# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""From what a model says of a frame to the standard message."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.label import UNKNOWN
from edgetpu_retrain.node.classifications.smoothing import Opinion, UNKNOWN_CLASS
import numpy as np
from vision_msgs.msg import (
    Classification,
    Detection2D,
    ObjectHypothesis,
    ObjectHypothesisWithPose,
)


def classification_message(
    header: Any, labels: tuple[str, ...], opinion: Opinion, max_results: int
) -> Classification:
    """
    Return the classification of one image, or of the last ones.

    Args:
        header: the image's own, so that results can be matched with images.
        labels: C class names in output order; they become the class ids.
        opinion: about the image.
        max_results: how many hypotheses to list; 0 = all.

    Returns:
        A ``vision_msgs/Classification``: first the answer, then the other classes, best first
        and equals in output order.
    """
    return Classification(header=header, results=_hypotheses(labels, opinion, max_results))


def detection_message(
    detection: Any, labels: tuple[str, ...], opinion: Opinion, max_results: int
) -> Detection2D:
    """
    Return a detection with our classes instead of the detector's.

    Args:
        detection: the ``vision_msgs/Detection2D`` whose header, box and id are kept.
        labels: C class names in output order; they become the class ids.
        opinion: about what is in the box.
        max_results: how many hypotheses to list; 0 = all.
    """
    return Detection2D(
        header=detection.header,
        bbox=detection.bbox,
        id=detection.id,
        results=[
            ObjectHypothesisWithPose(hypothesis=hypothesis)
            for hypothesis in _hypotheses(labels, opinion, max_results)
        ],
    )


def _hypotheses(
    labels: tuple[str, ...], opinion: Opinion, max_results: int
) -> list[ObjectHypothesis]:
    best_first = [int(index) for index in np.argsort(-opinion.scores, kind='stable')]
    results = []
    if opinion.best == UNKNOWN_CLASS:
        results.append(ObjectHypothesis(class_id=UNKNOWN, score=opinion.unknown_score))
    else:
        best_first.remove(opinion.best)
        best_first.insert(0, opinion.best)
    results += [
        ObjectHypothesis(class_id=labels[index], score=float(opinion.scores[index]))
        for index in best_first
    ]
    return results[: max_results or None]
