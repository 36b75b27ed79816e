# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""NodeStatus: publishes the state of the node whenever it changes."""

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
    The state of the node; see ``edgetpu_retrain_interfaces/Status`` for the fields.

    Four fields are dictionaries here: ``camera_topics`` and ``camera_devices`` have the topic and
    the device of each camera, ``counts`` the number of samples of each class, and ``problems`` a
    sentence for each part of the node that has a problem.
    """

    state: str = 'unconfigured'
    device: str = ''
    runtime: str = ''
    extractor: str = ''
    cameras: tuple[str, ...] = ()
    camera_topics: dict[str, str] = field(default_factory=dict)
    camera_devices: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    questions: int = 0
    checking_samples: bool = False
    model_version: int = 0
    model_path: str = ''
    model_labels: tuple[str, ...] = ()
    pending_model_version: int = 0
    training: bool = False
    last_training: str = ''
    problems: dict[str, str] = field(default_factory=dict)


class NodeStatus:
    """
    Publishes the state of the node on ``~/status``, latched; thread-safe.

    Args:
        node: creates the publisher.

    Attributes:
        facts: the current state.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self.facts = NodeFacts()
        self._publisher = node.create_publisher(Status, '~/status', LATCHED)
        self._publish()

    def update(self, **changes: Any) -> None:
        """Set fields of the state; publish it if it has changed."""
        with self._lock:
            self._replace(replace(self.facts, **changes))

    def forget_configuration(self, state: str) -> None:
        """Set ``state``, keep ``last_training``, and reset all other fields."""
        with self._lock:
            self._replace(NodeFacts(state=state, last_training=self.facts.last_training))

    def set_problem(self, name: str, text: str) -> None:
        """
        Set or clear the problem of a part of the node.

        Args:
            name: name of the part; it is not published.
            text: the problem as a sentence; ``''`` clears it.
        """
        with self._lock:
            problems = {**self.facts.problems, name: text}
            if not text:
                del problems[name]
            self._replace(replace(self.facts, problems=problems))

    def _replace(self, facts: NodeFacts) -> None:
        if facts != self.facts:
            self.facts = facts
            self._publish()

    def _publish(self) -> None:
        if not self._node.context.ok():
            return
        facts = self.facts
        fields = vars(facts) | {
            'camera_topics': [facts.camera_topics.get(name, '') for name in facts.cameras],
            'camera_devices': [facts.camera_devices.get(name, '') for name in facts.cameras],
            'labels': list(facts.counts),
            'counts': list(facts.counts.values()),
            'problems': list(facts.problems.values()),
        }
        stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(Status(stamp=stamp, **fields))
