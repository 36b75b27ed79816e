# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Converts ROS messages of the node to messages that pages receive as JSON."""

from __future__ import annotations

import math
from typing import Any

_STATUS_FIELDS = ('state', 'device', 'model_version', 'training', 'last_training', 'questions')
_STATUS_LISTS = ('cameras', 'labels', 'counts', 'model_labels', 'problems')
_FIGURES = ('train_accuracy', 'validation_accuracy', 'quantized_validation_accuracy', 'seconds')


def finite(value: float) -> float | None:
    """Return a number for JSON; None for NaN and infinity, which JSON does not support."""
    return float(value) if math.isfinite(value) else None


def status_message(status: Any, *, is_connected: bool) -> dict[str, Any]:
    """
    Return the message that describes the state of the node.

    Args:
        status: the latest ``Status``; None before the first one.
        is_connected: whether the node responds.
    """
    message: dict[str, Any] = {'type': 'status', 'connected': is_connected}
    if status is None:
        return message | {
            'state': '',
            'device': '',
            'model_version': 0,
            'training': False,
            'last_training': '',
            'questions': 0,
            **{name: [] for name in _STATUS_LISTS},
        }
    message |= {name: getattr(status, name) for name in _STATUS_FIELDS}
    return message | {name: list(getattr(status, name)) for name in _STATUS_LISTS}


def feedback_message(feedback: Any) -> dict[str, Any]:
    """Return the message with the progress of a training, from a ``Train.Feedback``."""
    figures = ('loss', 'train_accuracy', 'validation_accuracy')
    return {
        'type': 'training',
        'state': 'running',
        'iteration': feedback.iteration,
        'num_iter': feedback.num_iter,
        **{name: finite(getattr(feedback, name)) for name in figures},
    }


def training_result(result: Any) -> dict[str, Any]:
    """Return the figures of a successful training, from a ``Train.Result``."""
    return {
        'model_version': result.model_version,
        'labels': list(result.labels),
        'confusion_matrix': list(result.confusion_matrix),
        'held_out_unit': result.held_out_unit,
        **{name: finite(getattr(result, name)) for name in _FIGURES},
    }


def classification(result: Any) -> dict[str, Any]:
    """Return the classification of a frame, from a ``Result``."""
    best = result.classification.results
    smoothed = result.smoothed.results
    return {
        'model_version': result.model_version,
        'unknown': result.unknown,
        'labels': [each.class_id for each in best],
        'scores': [finite(each.score) for each in best],
        'smoothed_label': smoothed[0].class_id if smoothed else '',
    }
