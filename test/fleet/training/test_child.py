# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A round in a process of its own: the same bytes, in whatever order the packs arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.fleet.training.child import RoundOrder, train_in_child
import pytest
from support.fleet_lessons import Lessons, newest_model, order_for, views

Order = Callable[[list[bytes]], list[bytes]]


def test_two_processes_and_two_orders_of_arrival_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = Lessons()
    for robot in range(4):
        for thing, label in enumerate(('bolt', 'cup', 'mug')):
            for visit in range(2):
                rows = views(thing, 6, place=robot, seed=visit)
                lessons.teach(robot, label, rows, f'visit {visit}')
    models = []
    orders: list[Order] = [list, lambda packs: packs[::-1]]
    for number, arrival in enumerate(orders):
        monkeypatch.setenv('PYTHONHASHSEED', str(number))
        order = order_for(tmp_path / str(number))
        with lessons.ledger(0, range(4), path=order.ledger, order=arrival):
            pass
        steps: list[str] = []
        result = asyncio.run(train_in_child(order, steps.append))
        assert (result.outcome, result.version) == ('served', 1)
        assert result.figures['processor_seconds'] > 0.0
        assert 'training' in steps
        models.append(newest_model(tmp_path / str(number)))
    assert models[0] == models[1]


def test_an_order_arrives_as_it_was_sent(tmp_path: Path) -> None:
    order = order_for(tmp_path)
    assert RoundOrder.from_json(order.to_json()) == order


def test_a_failure_arrives_as_a_sentence(tmp_path: Path) -> None:
    order = order_for(tmp_path)
    (tmp_path / 'extractor.tflite').write_bytes(b'no model')
    with pytest.raises(RetrainError, match='tflite'):
        asyncio.run(train_in_child(order))
