# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What reports say about a ledger."""

from __future__ import annotations

import hashlib
import json

from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.wording import counted


def frontier_digest(ledger: Ledger) -> str:
    """Return a digest that is equal on members for which the same packs count."""
    text = json.dumps(ledger.frontier(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def ledger_report(name: str, ledger: Ledger) -> Report:
    """
    Return a report with all that a station's ledger says about the fleet.

    Quarantined and waiting packs are problems.  Packs that the roster excludes are not: the
    operator has decided on them.

    Args:
        name: name of the station's member.
        ledger: the ledger; reading one with a million samples takes seconds.

    Raises:
        StoreError: if the ledger cannot be read.
    """
    aside = [each for each in ledger.quarantine() if each.outcome != 'excluded']
    roster = ledger.roster
    names = {member.key: member.name for member in (roster.members if roster else ())}
    problems = [
        f'{counted(each.packs, "pack", "packs")} of {names.get(each.key, each.key)}: {each.reason}'
        for each in aside
    ]
    return Report(
        name=name,
        stamp_ms=0,
        frontier=frontier_digest(ledger),
        quarantine=sum(each.packs for each in aside if each.outcome == 'quarantined'),
        waiting=sum(each.packs for each in aside if each.outcome == 'waiting'),
        proposals=len(ledger.proposals()),
        disagreements=len(ledger.disagreements()),
        problems=tuple(problems),
    )
