# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of topics, services and the action, held against a node that runs."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from pathlib import Path
import re
from typing import Any

from rclpy.action import get_action_names_and_types
from support.running_node import Person
from support.waiting import wait_until

PAGE = (Path(__file__).parents[2] / 'docs' / 'interface.md').read_text()
NODE = '/edgetpu_retrain'
# What every ROS node has, and every one with a lifecycle.
OF_EVERY_NODE = (
    *('describe_parameters', 'get_parameter_types', 'get_parameters', 'list_parameters'),
    *('set_parameters', 'set_parameters_atomically', 'get_type_description'),
    *('change_state', 'get_state', 'get_available_states', 'get_available_transitions'),
    *('get_transition_graph', '/rosout', '/parameter_events', 'transition_event'),
)


def table(heading: str) -> Iterator[tuple[str, str]]:
    """Yield names and types of the rows of a table; some rows have two of each."""
    rows = re.search(rf'^\| {heading} \| type \| \|\n\| --.*\n((?:\|.*\n)+)', PAGE, re.MULTILINE)
    assert rows is not None
    for line in rows[1].splitlines():
        names, types, _ = line.strip('|').split('|', 2)
        if '(subscribed)' not in names:
            yield from zip(quoted(names), quoted(types), strict=True)


def quoted(cell: str) -> list[str]:
    return re.findall(r'`([^`]+)`', cell)


def documented(heading: str, kind: str) -> dict[str, str]:
    """Return full names and types, as ROS has them."""
    found = {}
    for name, type_name in table(heading):
        package, _, name_of_type = type_name.rpartition('/')
        full = name.replace('~', NODE).replace('<camera>', 'front')
        found[full] = f'{package or "edgetpu_retrain_interfaces"}/{kind}/{name_of_type}'
    return found


def own(names_and_types: dict[str, str]) -> dict[str, str]:
    """Return what other nodes do not have."""
    return {
        name: kind
        for name, kind in names_and_types.items()
        if name.removeprefix(f'{NODE}/') not in OF_EVERY_NODE and '/_action/' not in name
    }


def only_type(names_and_types: list[tuple[str, list[str]]]) -> dict[str, str]:
    return {name: types[0] for name, types in names_and_types}


def test_topics_services_and_action_are_those_in_the_tables(
    start_node: Any, person: Person
) -> None:
    start_node({'cameras': '[front]', 'front.detections_topic': '/boxes'}).wait_until_ready()
    graph = person.wait_until_ready().node
    # The names of nodes travel on a topic of their own, later than their services.
    wait_until(lambda: NODE[1:] in graph.get_node_names())

    def services() -> dict[str, str]:
        return own(only_type(graph.get_service_names_and_types_by_node(NODE[1:], '/')))

    def topics() -> dict[str, str]:
        return own(only_type(graph.get_publisher_names_and_types_by_node(NODE[1:], '/')))

    # So do its endpoints, one by one.
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: len(services()) >= len(documented('service', 'srv')))
        wait_until(lambda: len(topics()) >= len(documented('topic', 'msg')))
    assert services() == documented('service', 'srv')
    assert topics() == documented('topic', 'msg')
    assert only_type(get_action_names_and_types(graph)) == documented('action', 'action')
