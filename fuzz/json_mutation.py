# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Mutations of a JSON file that keep it JSON: one value becomes another one."""

from __future__ import annotations

from collections.abc import Callable
import json
import random
from typing import Any

_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1,
    2**31,
    2**63,
    10**40,
    10**400,
    0.5,
    float('nan'),
    float('inf'),
    -0.0,
    '',
    'daisy',
    'two\nlines',
    '\x1b[31m',
    '\ud800',
    [],
    ['daisy'],
    [[]],
    {},
    {'daisy': 1},
)


def mutate_json(
    data: bytes, most: int, seed: int, change_bytes: Callable[[bytes, int], bytes]
) -> bytes:
    """Change one value of a JSON file, sometimes its bytes; see :data:`target.Mutate`."""
    choose = random.Random(seed)
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return change_bytes(data, most)
    if choose.random() < 0.2 or not isinstance(tree, (dict, list)):
        return change_bytes(data, most)
    places = list(_places(tree))
    if places:
        holder, key = choose.choice(places)
        if choose.random() < 0.15:
            del holder[key]
        elif choose.random() < 0.2:
            holder[key] = [holder[key]]
        else:
            holder[key] = choose.choice(_VALUES)
    try:
        return json.dumps(tree).encode()[:most]
    except (ValueError, RecursionError):
        # A number of more digits than Python writes.
        return data


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Return each place in a tree: what holds it, and its key or index there."""
    places: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            places.append((holder, key))
            if isinstance(holder[key], (dict, list)):
                waiting.append(holder[key])
    return places
