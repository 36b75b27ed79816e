# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a request may use while the node is active."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edgetpu_retrain.node.frames.captures import Captures
from edgetpu_retrain.node.frames.frame_workers import FrameWorkers
from edgetpu_retrain.node.models.model_training import ModelTraining
from edgetpu_retrain.node.models.model_versions import ModelVersions
from edgetpu_retrain.node.parameters.values import NodeParameters
from edgetpu_retrain.node.samples.sample_thread import SampleThread
from edgetpu_retrain.store.samples.sample_store import SampleStore


@dataclass(frozen=True, eq=False)
class ActiveParts:
    """
    The parts that services and the action work with.

    Args:
        parameters: returns the present values of the node's parameters.
        topics: camera name to the topic of its images.
        captures: the pending requests for frames.
        workers: own the interpreters.
        store: where the samples are.
        samples: reads and writes them in order.
        versions: loads and swaps models.
        training: trains them.
    """

    parameters: Callable[[], NodeParameters]
    topics: Mapping[str, str]
    captures: Captures
    workers: FrameWorkers
    store: SampleStore
    samples: SampleThread
    versions: ModelVersions
    training: ModelTraining
