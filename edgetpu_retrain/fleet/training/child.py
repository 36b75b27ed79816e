# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Trains in a child process of low priority, so that the fleet process stays responsive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
import json
from typing import Any

from edgetpu_retrain.fleet.robot.node_settings import NodeSettings
from edgetpu_retrain.fleet.training.training_round import RoundOptions, RoundResult
from edgetpu_retrain.training_options import TrainingOptions
from edgetpu_retrain.work_process.parent import run_work

_MODULE = 'edgetpu_retrain.fleet.training'


@dataclass(frozen=True)
class RoundOrder:
    """
    The input of the child process.

    Args:
        folder: the data folder of the node.
        ledger: path of fleet.db.
        me: public key of this robot.
        fleet: public key of the fleet.
        settings: the node's settings, with which the child reads the extractor.
        options: how to train.
    """

    folder: str
    ledger: str
    me: str
    fleet: str
    settings: NodeSettings
    options: RoundOptions = field(default_factory=RoundOptions)

    def to_json(self) -> str:
        """Return this order as text for :meth:`from_json`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RoundOrder:
        """Return the order in a text from :meth:`to_json`."""
        fields = json.loads(text)
        options, settings = fields.pop('options'), NodeSettings(**fields.pop('settings'))
        training = TrainingOptions(**options.pop('training'))
        chosen = RoundOptions(training=training, **options)
        return cls(settings=settings, options=chosen, **fields)


async def train_in_child(
    order: RoundOrder, on_step: Callable[[str], object] = lambda _: None
) -> RoundResult:
    """
    Train once in a child process; if cancelled, kill the process.

    Args:
        order: the input of the child process.
        on_step: called at the start of each step with its description.

    Raises:
        RequestError: if the training fails, with the error message of the child.
        StoreError: if the child cannot be started, or ends without a result.
    """
    result: dict[str, Any] = await run_work(_MODULE, order.to_json(), on_step=on_step)
    return RoundResult(**result)
