# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Requests for samples of frames, with defaults."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.node.frames.captures import Capture
from edgetpu_retrain.node.samples.sample_requests import AddRequest


def capture_request(*, since: float = 0.0, **changes: Any) -> Capture:
    """Return a request for one frame of any camera, as a sample of 'cat'."""
    fields: dict[str, Any] = {
        'label': 'cat',
        'camera': '',
        'count': 1,
        'min_interval_s': 0.0,
        'timeout_s': 1.0,
        'region': None,
        'min_novelty': 0.0,
        'picture': b'',
        'stamp_ns': 0,
    }
    return Capture(AddRequest(**fields | changes), since)
