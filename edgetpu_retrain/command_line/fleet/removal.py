# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands that remove members or samples from a fleet: revoke, retire, erase."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.fleet.options import (
    known_roster,
    moment_in_words,
    read_moment,
    station_folder,
    use_hub,
)
from edgetpu_retrain.command_line.output import emit
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.fleet.evidence.embedding_space import ID_BYTES
from edgetpu_retrain.fleet.ledger.database import FleetDatabase
from edgetpu_retrain.fleet.ledger.hubs.receptions import first_receptions
from edgetpu_retrain.fleet.roster.roster import KeepMap, Member
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.received_packs import (
    as_first_received,
    heads,
    read_packs,
    ReceivedPack,
)
from edgetpu_retrain.fleet.station.roster_changes import (
    erase_samples,
    find_member,
    remove_member,
)
from edgetpu_retrain.fleet.station.station import LEDGER_FILE
from edgetpu_retrain.wording import counted, quoted


@click.command()
@click.argument('who', metavar='NAME|KEY')
@click.option(
    '--since',
    default='',
    metavar='TIME',
    help='Forget only what the hub received since then: a date with time, or 3d for the last '
    'three days.  [default: forget everything]',
)
@click.option(
    '--since-sequence',
    type=click.IntRange(min=1),
    help='Forget only what the hub received from this number of its stream on.',
)
@station_folder
@options.as_json
def revoke(who: str, since: str, since_sequence: int | None, folder: StationFolder) -> None:
    """
    Forget what a member has taught, and forbid it to connect.

    Every robot trains again without these samples.  --since refers to the time at which the hub
    received a pack, because a thief of the member's key can put any time into a pack.
    """
    if since and since_sequence is not None:
        raise click.UsageError('Give either --since or --since-sequence.')
    if since:
        since_ms = read_moment(since, later=False)
        words = f'what the hub received since {moment_in_words(since_ms)}'
        _remove(folder, who, words, lambda pack: pack.received_ms < since_ms)
    elif since_sequence is not None:
        words = f'what the hub received from number {since_sequence} on'
        _remove(folder, who, words, lambda pack: pack.sequence < since_sequence)
    else:
        _remove(folder, who, 'everything', None)


@click.command()
@click.argument('who', metavar='NAME|KEY')
@station_folder
@options.as_json
def retire(who: str, folder: StationFolder) -> None:
    """
    Forbid a member to connect, and keep what it has taught.

    Do this when a robot is sold or broken, so that nobody can teach with its key afterwards.
    """
    _remove(folder, who, 'nothing', lambda _: True)


@click.command()
@click.argument('samples', nargs=-1, required=True, metavar='SAMPLE..')
@station_folder
@options.as_json
def erase(samples: tuple[str, ...], folder: StationFolder) -> None:
    """
    Delete the embeddings and pictures of samples from all robots and hubs.

    SAMPLE is an id that `fleet samples` lists.  A robot that is not connected deletes its copies
    when it connects.  No member stores these samples again.
    """
    wanted = [_sample(each) for each in samples]
    roster = folder.change_roster(lambda present: erase_samples(present, wanted))
    emit(
        {'erased': [each.hex() for each in wanted], 'roster': roster.version},
        f'{counted(len(set(wanted)), "sample is", "samples are")} erased: the hub deletes the '
        'bytes now, and each robot when it connects.',
    )


def _remove(
    folder: StationFolder,
    who: str,
    words: str,
    counts: Callable[[ReceivedPack], bool] | None,
) -> None:
    """
    Forbid a member to connect, choose which of its packs still count, and print the result.

    Args:
        folder: folder of the station.
        who: name or key of the member.
        words: what robots forget, as text.
        counts: function that returns whether a pack of the member still counts, with all earlier
            ones of its chain.  If the function is None, no pack counts.

    Raises:
        RetrainError: if this station does not have the key of the fleet, there is no such member,
            the member is this station, or the hub cannot be reached.
    """
    folder.fleet_key()
    member = find_member(known_roster(folder), who)
    if member.key == folder.credentials().key.public:
        raise RequestError('this is the key of the station itself, which the hub needs')
    keep, packs = _kept(folder, member, counts) if counts is not None else ({}, None)
    roster = folder.change_roster(lambda present: remove_member(present, member.key, keep))
    kept = sum(number + 1 for number, _ in keep.values())
    result = {
        'name': member.name,
        'key': member.key,
        'packs': packs,
        'kept': kept,
        'roster': roster.version,
    }
    of_all = f' ({kept} of {counted(packs, "pack", "packs")} kept)' if packs is not None else ''
    emit(result, f'{member.name} may no longer connect, and robots forget {words}{of_all}.')


def _kept(
    folder: StationFolder, member: Member, counts: Callable[[ReceivedPack], bool]
) -> tuple[KeepMap, int]:
    packs = use_hub(folder, lambda hub: read_packs(hub, member.key))
    # Read the ledger after the hub, because the station may replace packs meanwhile.
    with closing(FleetDatabase(folder.data / LEDGER_FILE)) as database:
        packs = as_first_received(packs, first_receptions(database))
    return heads(packs, counts), len({pack.header.hash for pack in packs})


def _sample(text: str) -> bytes:
    try:
        sample = bytes.fromhex(text)
    except ValueError:
        sample = b''
    if len(sample) != ID_BYTES:
        raise RequestError(
            f'{quoted(text)} is not the id of a sample, which has {2 * ID_BYTES} hexadecimal '
            "digits: 'edgetpu_retrain fleet samples' lists the ids"
        )
    return sample
