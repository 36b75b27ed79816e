# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Which robots take a release first."""

from __future__ import annotations

from dataclasses import replace
import itertools

from edgetpu_retrain.fleet.releases.release import encode, encode_promotion, Promotion, Release
from edgetpu_retrain.fleet.releases.staging import (
    is_chosen,
    MAX_RELEASES,
    newest_for,
    ReleaseInbox,
    still_used,
)
from support.fleet_members import robot_key, SPACE
from support.fleet_releases import KEY, RELEASE, ROSTER

ROBOTS = [robot_key(number).public for number in range(200)]


def release(number: int, share: float) -> Release:
    return replace(RELEASE, issued_ms=number, share=share, id=f'{number:064x}')


def test_about_the_share_is_chosen_and_stays_chosen() -> None:
    first = [key for key in ROBOTS if is_chosen(key, 'a', 0.1)]
    assert 5 <= len(first) <= 40
    assert all(is_chosen(key, 'a', 0.5) for key in first)
    assert first != [key for key in ROBOTS if is_chosen(key, 'b', 0.1)]


def test_others_wait_until_it_is_promoted() -> None:
    old, new = release(1, 1.0), release(2, 0.1)
    chosen = {key: newest_for(key, [new, old]) for key in ROBOTS}
    assert {each.issued_ms for each in chosen.values() if each} == {1, 2}
    promoted = Promotion('', 3, new.id, 1.0)
    assert all(newest_for(key, [old, promoted, new]) is new for key in ROBOTS)


def test_a_withdrawn_release_is_taken_by_nobody() -> None:
    new = release(2, 0.5)
    messages: list[Release | Promotion] = [
        new,
        Promotion('', 3, new.id, 1.0),
        Promotion('', 4, new.id, 0.0),
    ]
    for order in itertools.permutations(messages):
        assert not any(newest_for(key, order) for key in ROBOTS[:20])


def test_old_releases_and_promotions_are_not_used() -> None:
    releases = [release(number, 0.1) for number in range(20)]
    promotions = [Promotion('', 100 + number % 7, releases[-1].id, 1.0) for number in range(70)]
    of_old, of_unknown = Promotion('', 200, releases[0].id, 1.0), Promotion('', 5, 'f' * 64, 1.0)
    other = replace(release(0, 0.1), publisher=ROBOTS[5], id='e' * 64)
    used = still_used([*promotions, *releases, other, of_old, of_unknown])
    assert set(used) == {other, *releases[-MAX_RELEASES:], of_unknown, promotions[6]}


def test_many_promotions_displace_no_release() -> None:
    inbox = ReleaseInbox(ROBOTS[0], SPACE, lambda: ROSTER)
    made = encode(replace(RELEASE, share=1.0), KEY)
    assert inbox.accept(made)
    first = inbox.newest()
    assert first is not None
    for number in range(100):
        assert inbox.accept(encode_promotion(Promotion(KEY.public, number, first.id, 1.0), KEY))
    newest = inbox.newest()
    assert newest is not None
    assert newest.id == first.id
