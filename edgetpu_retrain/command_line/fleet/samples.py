# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command fleet samples: lists the samples of the fleet, with the ids for `fleet erase`."""

from __future__ import annotations

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.fleet.options import known_roster, station_folder
from edgetpu_retrain.command_line.output import emit
from edgetpu_retrain.command_line.workspace import read_extractor
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.robot.node_settings import space_of
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.roster_changes import find_member
from edgetpu_retrain.fleet.station.station import LEDGER_FILE
from edgetpu_retrain.wording import counted


@click.command()
@click.option('--member', default='', metavar='NAME|KEY', help='Only what this member claims.')
@click.option('--label', default='', help='Only samples with this label.')
@options.extractor
@station_folder
@options.as_json
def samples(member: str, label: str, extractor: options.NamedModel, folder: StationFolder) -> None:
    """
    List the samples of the fleet: id, label and the member whose claim decides the label.

    Samples that wait for a teacher are listed as proposals, at most 1,000 of them, with all
    members that claim a label for them.
    """
    roster, space = known_roster(folder), space_of(read_extractor(extractor, ''))
    key = find_member(roster, member).key if member else ''
    path = folder.data / LEDGER_FILE
    if not path.exists():
        raise RequestError(f'{path} is not there yet: it comes when the hub runs')
    with Ledger(path, space, fleet=folder.credentials().fleet) as ledger:
        found = [
            each
            for each in _samples_of(ledger)
            if label in ('', each[1]) and (not key or key in each[2])
        ]
    names = {each.key: each.name for each in roster.members}
    listed: list[dict[str, object]] = []
    lines: list[str] = []
    for sample, text, keys, waits in found:
        members = [names.get(each, each) for each in keys]
        listed.append(
            {'sample': sample.hex(), 'label': text, 'members': members, 'proposal': waits}
        )
        note = '  (proposal)' if waits else ''
        lines.append(f'{sample.hex()}  {text}  {", ".join(members)}{note}')
    emit({'samples': listed}, *lines, f'{counted(len(listed), "sample", "samples")}.')


def _samples_of(ledger: Ledger) -> list[tuple[bytes, str, list[str], bool]]:
    """Return each sample's id, label and members' keys, and whether it waits for a teacher."""
    evidence = ledger.evidence(own=False)
    decided = zip(evidence.ids, evidence.labels, evidence.keys, strict=True)
    return [
        *((sample.tobytes(), label, [key], False) for sample, label, key in decided),
        *((each.sample, each.label, sorted(each.claims), True) for each in ledger.proposals()),
    ]
