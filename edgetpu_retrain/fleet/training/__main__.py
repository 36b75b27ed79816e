# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
One training on the fleet's samples: ``python3 -m edgetpu_retrain.fleet.training ORDER``.

:func:`edgetpu_retrain.fleet.training.child.train_in_child` starts this program.  ORDER is a
``RoundOrder`` as JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
import sys
from typing import Any

from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.robot.node_settings import space_of
from edgetpu_retrain.fleet.training.child import RoundOrder
from edgetpu_retrain.fleet.training.training_round import run_round
from edgetpu_retrain.work_process.child import do_work, lower_priority


def main(order: RoundOrder, on_step: Callable[[str], None]) -> dict[str, Any]:
    """Train once, and return the fields of the ``RoundResult``."""
    folder = Path(order.folder)
    extractor = order.settings.read_extractor(folder)
    space = space_of(extractor)
    with Ledger(order.ledger, space, me=order.me, fleet=order.fleet) as ledger:
        roster = ledger.roster
        members = roster.members if roster is not None else ()
        result = run_round(
            folder, extractor, ledger.evidence(own=True), ledger.own_claims(), ledger.frontier(),
            order.me, order.options,
            evidence_without=lambda keys: ledger.evidence(own=True, without=keys),
            names={member.key: member.name for member in members}, on_step=on_step,
        )  # fmt: skip
    return asdict(result)


if __name__ == '__main__':
    lower_priority()
    do_work(lambda on_step: main(RoundOrder.from_json(sys.argv[1]), on_step))
