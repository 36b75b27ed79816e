# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Ledgers of a few members."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from edgetpu_retrain.fleet.ledger.ledger import Ledger
import pytest
from support.fleet_members import FLEET, MakeLedger, NOW_MS, robot_key, SPACE


@pytest.fixture
def ledger_of() -> Iterator[MakeLedger]:
    with ExitStack() as opened:

        def make(number: int, path: object = ':memory:', now_ms: int = NOW_MS) -> Ledger:
            return opened.enter_context(
                Ledger(
                    str(path),
                    SPACE,
                    me=robot_key(number).public,
                    fleet=FLEET.public,
                    now_ms=lambda: now_ms,
                )
            )

        yield make
