# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands fleet release and fleet promote: distribute heads trained at the station."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
import hashlib
import time

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.fleet.options import (
    known_roster,
    moment_in_words,
    station_folder,
    use_hub,
)
from edgetpu_retrain.command_line.output import emit, percent, say
from edgetpu_retrain.command_line.workspace import read_extractor
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.hub.connection import Hub
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.releases.release import decode, encode_promotion, Promotion, Release
from edgetpu_retrain.fleet.releases.released_head import make_release
from edgetpu_retrain.fleet.robot.node_settings import space_of
from edgetpu_retrain.fleet.roster.roster import Roster
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.hub_releases import delete_unused_releases, read_releases
from edgetpu_retrain.fleet.station.station import LEDGER_FILE
from edgetpu_retrain.fleet.training.training_round import RoundOptions
from edgetpu_retrain.wording import counted, quoted

_LATEST = 'latest'
_ID_LENGTH = 12

_first_share = click.option(
    '--share',
    type=click.FloatRange(0.0, 1.0),
    default=0.1,
    show_default=True,
    help='Share of the robots that take it at first.',
)
_later_share = click.option(
    '--share',
    type=click.FloatRange(0.0, 1.0),
    default=1.0,
    show_default=True,
    help='Share of the robots that take it from now on; 0 = none.',
)


@click.command()
@_first_share
@options.extractor
@station_folder
@options.as_json
def release(share: float, extractor: options.NamedModel, folder: StationFolder) -> None:
    """
    Train a head on all samples that the station trusts, and release it to some robots.

    The head is for robots with learn_from:=releases, which are too small to train on all samples.
    A robot rejects the head if, on the robot's held-out samples, it is worse than a head trained
    on the robot's other samples.  If the head does well, release it to all robots with `promote`.
    Before the command publishes the head, it deletes old releases of this extractor from the hub,
    all but the 8 newest of each member.
    """
    key = folder.credentials().key
    model = read_extractor(extractor, '')
    space = space_of(model)
    path = folder.data / LEDGER_FILE
    if not path.exists():
        raise RequestError(f'{path} is not there yet: it comes when the hub runs')
    roster = known_roster(folder)
    earlier = use_hub(folder, lambda hub: _read(hub, space, roster))
    with Ledger(path, space, me=key.public, fleet=folder.credentials().fleet) as ledger:
        evidence = ledger.evidence(own=True)
        say(f'training on at most {counted(len(evidence.ids), "sample", "samples")}')
        message = make_release(
            model,
            space.id,
            evidence,
            {},
            ledger.frontier(),
            key,
            share=share,
            issued_ms=_later_than(_releases(earlier)),
            options=RoundOptions(),
            evidence_without=lambda keys: ledger.evidence(own=True, without=keys),
        )
    made = decode(message, known_roster(folder), space)
    assert isinstance(made, Release)
    use_hub(folder, lambda hub: _replace(hub, space, known_roster(folder), message))
    emit(
        _fields(made) | {'bytes': len(message)},
        f'{_words(made)}; {percent(share)} of the robots take it.  For all of them: '
        f'edgetpu_retrain fleet promote {made.id[:_ID_LENGTH]}',
    )


@click.command()
@click.argument('which', metavar='RELEASE|latest')
@_later_share
@options.extractor
@station_folder
@options.as_json
def promote(
    which: str, share: float, extractor: options.NamedModel, folder: StationFolder
) -> None:
    """
    Release a head to all robots, or to another share of them.

    RELEASE is the id that `release` prints, or the beginning of the id; 'latest' is the newest
    release.  With --share 0, no further robot uses the head.
    """
    key, space = folder.credentials().key, space_of(read_extractor(extractor, ''))
    roster = known_roster(folder)
    everything = use_hub(folder, lambda hub: _read(hub, space, roster))
    chosen = _choose(_releases(everything), which)
    promotions = [each for each in everything if isinstance(each, Promotion)]
    earlier = [each for each in promotions if each.release == chosen.id]
    promotion = Promotion(key.public, _later_than(earlier), chosen.id, share)
    message = encode_promotion(promotion, key)
    use_hub(folder, lambda hub: _publish(hub, space, message))
    emit(
        _fields(chosen) | {'share': share},
        f'{_words(chosen)}; {percent(share)} of the robots take it.',
    )


async def _publish(hub: Hub, space: EmbeddingSpace, message: bytes) -> None:
    subject = f'release.{space.token}.{hub.key}'
    await hub.publish(subject, message, hashlib.sha256(message).hexdigest())


async def _replace(hub: Hub, space: EmbeddingSpace, roster: Roster, message: bytes) -> None:
    """Delete old releases from the hub, then publish a new one."""
    await delete_unused_releases(hub, space, roster)
    await _publish(hub, space, message)


async def _read(hub: Hub, space: EmbeddingSpace, roster: Roster) -> list[Release | Promotion]:
    """Return the valid releases and promotions of a hub."""
    return list((await read_releases(hub, space, roster)).values())


def _releases(everything: Iterable[Release | Promotion]) -> list[Release]:
    """Return the releases without repeats, oldest first."""
    found = {each.id: each for each in everything if isinstance(each, Release)}
    return sorted(found.values(), key=lambda each: (each.issued_ms, each.id))


def _choose(releases: list[Release], which: str) -> Release:
    if not releases:
        raise RequestError(
            "the hub has no release for this extractor: make one with 'edgetpu_retrain fleet "
            "release'"
        )
    found = releases[-1:] if which == _LATEST else [r for r in releases if r.id.startswith(which)]
    if not found:
        raise RequestError(
            f'no release of the hub has an id that begins with {quoted(which)}; the newest are '
            f'{_ids(releases)}'
        )
    if len(found) > 1:
        raise RequestError(
            f'several releases of the hub have ids that begin with {quoted(which)}, such as '
            f'{_ids(found)}: give more of the id'
        )
    return found[0]


def _ids(releases: list[Release]) -> str:
    return ', '.join(each.id[:_ID_LENGTH] for each in releases[-5:])


def _words(release: Release) -> str:
    accuracy = '' if release.accuracy is None else f', {percent(release.accuracy)} held out'
    return (
        f'release {release.id[:_ID_LENGTH]} of {moment_in_words(release.issued_ms)}: '
        f'{counted(len(release.head.labels), "class", "classes")}, '
        f'{counted(sum(release.sample_counts.values()), "sample", "samples")}{accuracy}'
    )


def _fields(release: Release) -> dict[str, object]:
    return {
        'release': release.id,
        'issued_ms': release.issued_ms,
        'labels': list(release.head.labels),
        'samples': sum(release.sample_counts.values()),
        'accuracy': release.accuracy,
        'share': release.share,
    }


def _later_than(earlier: Sequence[Release | Promotion]) -> int:
    """
    Return the time of a new message, milliseconds since 1970: now, or just after earlier ones.

    Robots follow the latest message, and the clock of this machine may have been set back.
    """
    return max([_now_ms(), *(each.issued_ms + 1 for each in earlier)])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
