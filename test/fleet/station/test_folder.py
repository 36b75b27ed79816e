# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a station."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import stat
import threading

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.roster import roster_message
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.roster_changes import add_member
from edgetpu_retrain.fleet.station.settings import Settings
import pytest
from support.fleet_members import SPACE

SETTINGS = Settings(('base.local', '10.0.0.7'), '127.0.0.1', 4222, 1 << 30)


@pytest.fixture
def base(tmp_path: Path) -> StationFolder:
    folder = StationFolder(tmp_path / 'base')
    folder.make_base(SETTINGS)
    return folder


def new_member(name: str) -> Member:
    return Member(Key.generate().public, name, frozenset({'teach'}))


def test_a_base_signs_its_first_roster(base: StationFolder) -> None:
    roster, credentials = base.roster(), base.credentials()
    assert roster is not None
    assert roster.fleet == base.fleet_key().public == credentials.fleet
    assert [each.key for each in roster.members] == [credentials.key.public]
    assert base.settings() == SETTINGS


def test_nobody_else_can_read_the_folder(base: StationFolder) -> None:
    assert stat.S_IMODE(base.path.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in base.path.iterdir()}
    assert {name for name, mode in modes.items() if mode != 0o600} == set()


def test_a_mistaken_name_leaves_no_half_station(tmp_path: Path) -> None:
    folder = StationFolder(tmp_path / 'base')
    with pytest.raises(FleetError, match='neither a host name'):
        folder.make_base(replace(SETTINGS, names=('nats://base',)))
    assert not folder.exists()
    folder.make_base(SETTINGS)
    assert folder.exists()


def test_a_certificate_follows_the_names(base: StationFolder) -> None:
    before = base.certificate.read_text()
    base.write_settings(replace(SETTINGS, port=5222))
    assert base.certificate.read_text() == before
    base.write_settings(replace(SETTINGS, names=('other.local',)))
    assert base.certificate.read_text() != before


def test_the_hub_is_reached_at_the_only_address_where_it_listens() -> None:
    everywhere = replace(SETTINGS, host='0.0.0.0')  # noqa: S104 - nothing is bound
    assert everywhere.local_url == 'nats://127.0.0.1:4222'
    one = replace(SETTINGS, host='10.0.0.7')
    assert one.local_url == 'nats://10.0.0.7:4222'
    assert '10.0.0.7' in one.certified_names
    sixth = replace(SETTINGS, host='fe80::7', names=('fe80::7',))
    assert sixth.url == sixth.local_url == 'nats://[fe80::7]:4222'


def test_each_change_is_a_newer_signed_roster(base: StationFolder) -> None:
    base.change_roster(lambda roster: add_member(roster, new_member('ada')))
    changed = base.change_roster(lambda roster: add_member(roster, new_member('bob')))
    assert changed.version == 3
    assert base.roster() == changed


def test_changes_at_the_same_time_are_all_made(base: StationFolder) -> None:
    def add(number: int) -> None:
        base.change_roster(lambda roster: add_member(roster, new_member(f'robot{number}')))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    roster = base.roster()
    assert roster is not None
    assert (roster.version, len(roster.members)) == (9, 9)


def test_a_newer_roster_of_the_own_fleet_is_adopted(base: StationFolder) -> None:
    key, present = base.fleet_key(), base.roster()
    assert present is not None
    newer = roster_message.sign(replace(present, version=9), key)
    assert base.adopt_roster(newer)
    assert not base.adopt_roster(newer)
    assert not base.adopt_roster(roster_message.sign(replace(present, version=8), key))
    stranger = Key.generate('account')
    with pytest.raises(FleetError, match='not signed by the key of this fleet'):
        base.adopt_roster(roster_message.sign(Roster(stranger.public, 10, 0), stranger))
    roster = base.roster()
    assert roster is not None
    assert roster.version == 9


def test_the_folder_adopts_the_roster_that_the_ledger_stores(base: StationFolder) -> None:
    key, present = base.fleet_key(), base.roster()
    assert present is not None
    # A base that was restored from a backup signs a version once more.
    same = [replace(present, version=6, issued_ms=present.issued_ms + age) for age in (1, 2)]
    first, later = (roster_message.sign(each, key) for each in same)
    tied = sorted(
        roster_message.sign(replace(same[1], erased=frozenset([bytes([each]) * 32])), key)
        for each in range(3)
    )
    with Ledger(':memory:', SPACE, fleet=key.public) as ledger:
        for message in (first, later, first, *tied, *tied, first):
            assert base.adopt_roster(message) == ledger.set_roster(message)
            assert base.roster_message() == ledger.roster_message
    assert base.roster_message() == max(later, *tied)


def test_a_site_has_no_key_of_the_fleet(base: StationFolder, tmp_path: Path) -> None:
    credentials = base.member_credentials('site', Key.generate(), ('site.local',))
    site = StationFolder(tmp_path / 'site')
    site.make_site(replace(SETTINGS, names=('site.local',)), credentials)
    assert site.roster() is None
    assert site.credentials() == credentials
    with pytest.raises(FleetError, match='do this at the base station'):
        site.change_roster(lambda roster: roster)


def test_a_site_needs_a_certificate(base: StationFolder, tmp_path: Path) -> None:
    credentials = base.member_credentials('ada', Key.generate(), ())
    assert (credentials.certificate, credentials.url) == ('', 'nats://base.local:4222')
    with pytest.raises(FleetError, match='--hub-name'):
        StationFolder(tmp_path / 'site').make_site(SETTINGS, credentials)


def test_one_process_serves_a_folder(base: StationFolder) -> None:
    with base.serving(), pytest.raises(FleetError, match='runs the hub of'), base.serving():
        pass
    with base.serving():
        pass


def test_another_folder_is_no_station(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="not the folder of a fleet's station"):
        StationFolder(tmp_path).roster()


def test_damaged_settings_are_reported(base: StationFolder) -> None:
    (base.path / 'settings.json').write_text('{"names": []')
    with pytest.raises(FleetError, match=r'settings\.json is damaged.*backup'):
        base.settings()
