# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""NodeStatus: what the node is and does, told at every change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
import threading
from typing import Any

from edgetpu_retrain.node.models.model_announcement import LATCHED
from edgetpu_retrain_interfaces.msg import Status
from rclpy.node import Node


@dataclass(frozen=True)
class NodeFacts:
    """
    Fields as in ``edgetpu_retrain_interfaces/Status``.

    ``camera_devices`` goes from the name of each camera, ``problems`` from what they are of.
    """

    state: str = 'unconfigured'
    device: str = ''
    runtime: str = ''
    extractor: str = ''
    cameras: tuple[str, ...] = ()
    camera_devices: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    model_version: int = 0
    model_path: str = ''
    model_labels: tuple[str, ...] = ()
    pending_model_version: int = 0
    training: bool = False
    last_training: str = ''
    problems: dict[str, str] = field(default_factory=dict)

    def unconfigured(self) -> NodeFacts:
        """Return what is left of it when models and files were let go."""
        return NodeFacts(last_training=self.last_training)


class NodeStatus:
    """
    Keeps the facts and publishes them, latched, on ``~/status``; from any thread.

    Args:
        node: publishes.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._facts = NodeFacts()
        self._publisher = node.create_publisher(Status, '~/status', LATCHED)
        self._publish()

    @property
    def facts(self) -> NodeFacts:
        """The facts at this moment."""
        return self._facts

    def update(self, **changes: Any) -> None:
        """Change some of the facts; nothing is published when they are as they were."""
        with self._lock:
            self._replace(replace(self._facts, **changes))

    def forget_configuration(self, state: str) -> None:
        """Note that models and files were let go."""
        with self._lock:
            self._replace(replace(self._facts.unconfigured(), state=state))

    def problem(self, of: str, text: str) -> None:
        """Note what is wrong with something, a sentence; '' = nothing any more."""
        with self._lock:
            problems = {name: words for name, words in self._facts.problems.items() if name != of}
            if text:
                problems[of] = text
            self._replace(replace(self._facts, problems=problems))

    def _replace(self, facts: NodeFacts) -> None:
        if facts != self._facts:
            self._facts = facts
            self._publish()

    def _publish(self) -> None:
        if not self._node.context.ok():
            return
        facts = self._facts
        self._publisher.publish(
            Status(
                stamp=self._node.get_clock().now().to_msg(),
                state=facts.state,
                device=facts.device,
                runtime=facts.runtime,
                extractor=facts.extractor,
                cameras=facts.cameras,
                camera_devices=[facts.camera_devices.get(name, '') for name in facts.cameras],
                labels=list(facts.counts),
                counts=list(facts.counts.values()),
                model_version=facts.model_version,
                model_path=facts.model_path,
                model_labels=facts.model_labels,
                pending_model_version=facts.pending_model_version,
                training=facts.training,
                last_training=facts.last_training,
                problems=list(facts.problems.values()),
            )
        )
