# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Releases: what a relay passes on from hub to hub."""

from __future__ import annotations

from edgetpu_retrain.fleet.hub.releases import Releases


def test_a_release_of_one_hub_is_missing_at_the_other() -> None:
    releases = Releases(lambda _: True)
    assert releases.receive(b'head', 'site')
    assert not releases.receive(b'head', 'site')
    assert releases.missing('site') == []
    assert releases.missing('upstream') == [b'head']
    releases.receive(b'head', 'upstream')
    assert releases.missing('upstream') == []
    releases.forget('upstream')
    assert releases.missing('upstream') == [b'head']


def test_a_release_that_two_hubs_send_at_once_is_new_once() -> None:
    new_at_upstream: list[bool] = []

    def accept(message: bytes) -> bool:
        if not new_at_upstream:
            new_at_upstream.append(False)
            new_at_upstream[0] = releases.receive(message, 'upstream')
        return True

    releases = Releases(accept)
    # The other hub's copy arrives while this one is checked.
    assert not releases.receive(b'head', 'site')
    assert new_at_upstream == [True]
    assert releases.missing('site') == releases.missing('upstream') == []


def test_what_is_not_accepted_is_not_passed_on() -> None:
    releases = Releases(lambda message: message != b'forged')
    assert not releases.receive(b'forged', 'site')
    assert releases.missing('upstream') == []


def test_only_the_newest_are_kept() -> None:
    releases = Releases(lambda _: True)
    for number in range(100):
        releases.receive(b'%d' % number, 'upstream')
    assert releases.missing('site') == [b'%d' % number for number in range(84, 100)]


def test_hubs_with_many_are_read_again_and_nothing_is_missing() -> None:
    releases = Releases(lambda _: True)
    for hub in ('site', 'upstream', 'site', 'site'):
        releases.forget(hub)
        for number in range(100):
            releases.receive(b'%d' % number, hub)
    assert releases.missing('site') == releases.missing('upstream') == []
