# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""NodeStatus: publishes the state of the node at every change."""

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
    The state of the node; fields as in ``edgetpu_retrain_interfaces/Status``.

    ``camera_devices`` maps cameras to devices, ``counts`` labels to samples, and ``problems`` the
    part of the node that has a problem to a sentence.
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


class NodeStatus:
    """
    Stores the facts and publishes them, latched, on ``~/status``; thread-safe.

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
        """The current facts."""
        return self._facts

    def update(self, **changes: Any) -> None:
        """Change some facts; publish them if they differ."""
        with self._lock:
            self._replace(replace(self._facts, **changes))

    def forget_configuration(self, state: str) -> None:
        """Reset all facts but the last training."""
        with self._lock:
            self._replace(
                replace(NodeFacts(), state=state, last_training=self._facts.last_training)
            )

    def set_problem(self, name: str, text: str) -> None:
        """Set the problem of a part of the node, a sentence, or clear it with ``''``."""
        with self._lock:
            problems = {**self._facts.problems, name: text}
            if not text:
                del problems[name]
            self._replace(replace(self._facts, problems=problems))

    def _replace(self, facts: NodeFacts) -> None:
        if facts != self._facts:
            self._facts = facts
            self._publish()

    def _publish(self) -> None:
        if not self._node.context.ok():
            return
        facts = self._facts
        fields = vars(facts) | {
            'camera_devices': [facts.camera_devices.get(name, '') for name in facts.cameras],
            'labels': list(facts.counts),
            'counts': list(facts.counts.values()),
            'problems': list(facts.problems.values()),
        }
        stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(Status(stamp=stamp, **fields))
