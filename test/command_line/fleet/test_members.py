# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands with which an operator adds and changes members, without a hub."""

from __future__ import annotations

from pathlib import Path
import stat

from edgetpu_retrain.fleet.station.credentials import Credentials
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.roster_changes import find_member
from edgetpu_retrain.fleet.station.settings import Settings
import pytest
from support.command_line_types import Run


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StationFolder:
    """Return the station that the commands use without --folder."""
    monkeypatch.setenv('ROS_HOME', str(tmp_path / 'ros'))
    monkeypatch.chdir(tmp_path)
    folder = StationFolder(tmp_path / 'ros' / 'edgetpu_retrain_fleet')
    folder.make_base(Settings(('base.local',), '127.0.0.1', 4222, 10**9))
    return folder


def test_a_new_member_gets_credentials_and_the_next_step(
    run: Run, base: StationFolder, tmp_path: Path
) -> None:
    added = run('fleet', 'add', 'ada')
    path = tmp_path / 'ada.json'
    sentence, command = added.out.splitlines()
    assert sentence == f'ada may propose and read.  Copy {path} to it (mode 0600), and there:'
    assert command == (
        'ros2 launch edgetpu_retrain fleet.launch.py fleet:=nats://base.local:4222 '
        'credentials:=/path/to/ada.json'
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    roster = base.roster()
    assert roster is not None
    assert find_member(roster, 'ada').key == Credentials.read(path).key.public


def test_roles_labels_and_expiry_are_signed(run: Run, base: StationFolder) -> None:
    options = ('--role', 'teach', '--role', 'release', '--labels', 'mug*', '--labels', 'cup')
    added = run('fleet', 'add', 'ada', *options, '--expires', '2027-01-31T12:00')
    assert added.out.startswith(
        'ada may read and release and teach, with labels like mug*, cup, until 2027-01-31 12:00.'
    )
    roster = base.roster()
    assert roster is not None
    member = find_member(roster, 'ada')
    assert member.roles == {'read', 'release', 'teach'}
    assert member.labels == ('mug*', 'cup')


def test_a_member_is_changed(run: Run, base: StationFolder) -> None:
    run('fleet', 'add', 'ada')
    changed = run('fleet', 'change', 'ada', '--role', 'teach')
    assert changed.out == 'ada may read and teach.\n'
    changed = run('fleet', 'change', 'ada', '--labels', 'mug*')
    assert changed.out == 'ada may read and teach, with labels like mug*.\n'
    roster = base.roster()
    assert roster is not None
    assert find_member(roster, 'ada').roles == {'read', 'teach'}
    assert run('fleet', 'change', 'ada').code == 2
    assert "no member 'eve'" in run('fleet', 'change', 'eve', '--role', 'teach').err


@pytest.mark.usefixtures('base')
def test_no_file_is_replaced(run: Run, tmp_path: Path) -> None:
    (tmp_path / 'ada.json').write_text('mine')
    added = run('fleet', 'add', 'ada')
    assert (added.code, 'exists already' in added.err) == (2, True)
    assert (tmp_path / 'ada.json').read_text() == 'mine'


def test_a_name_that_is_taken_leaves_no_file(
    run: Run, base: StationFolder, tmp_path: Path
) -> None:
    run('fleet', 'add', 'ada')
    before = base.roster()
    again = run('fleet', 'add', 'ada', '--out', tmp_path / 'other.json')
    assert (again.code, "a member 'ada' already" in again.err) == (2, True)
    assert not (tmp_path / 'other.json').exists()
    assert base.roster() == before


@pytest.mark.usefixtures('base')
@pytest.mark.parametrize('name', ['../ada', '.ada', 'a/b'])
def test_a_name_does_not_lead_out_of_the_folder(run: Run, name: str) -> None:
    added = run('fleet', 'add', name)
    assert (added.code, '--out' in added.err) == (2, True)


@pytest.mark.usefixtures('base')
def test_a_name_that_is_no_text_is_rejected(run: Run, tmp_path: Path) -> None:
    added = run('fleet', 'add', 'two\nlines', '--out', tmp_path / 'x.json')
    assert added.code == 1
    assert len(added.err.splitlines()) == 1
    assert not (tmp_path / 'x.json').exists()


def test_everything_is_forgotten_without_a_hub(run: Run, base: StationFolder) -> None:
    run('fleet', 'add', 'ada', '--role', 'teach')
    revoked = run('fleet', 'revoke', 'ada')
    assert revoked.out == 'ada may no longer connect, and robots forget everything.\n'
    roster = base.roster()
    assert roster is not None
    assert find_member(roster, 'ada').keep == {}
    assert 'for ever' in run('fleet', 'change', 'ada', '--role', 'teach').err


@pytest.mark.usefixtures('base')
def test_what_needs_the_hub_says_so(run: Run) -> None:
    run('fleet', 'add', 'ada')
    for command in (('retire', 'ada'), ('revoke', 'ada', '--since', '1h'), ('status',)):
        ended = run('fleet', *command)
        assert (ended.code, 'is it running' in ended.err) == (1, True)


@pytest.mark.usefixtures('base')
def test_the_station_cannot_be_removed(run: Run) -> None:
    assert 'the key of the station itself' in run('fleet', 'revoke', 'station').err


@pytest.mark.usefixtures('base')
def test_what_is_no_sample_is_not_erased(run: Run) -> None:
    for text in ('mug', 'ab', 'g' * 64):
        ended = run('fleet', 'erase', text)
        assert (ended.code, 'not the id of a sample' in ended.err) == (2, True)
    assert run('fleet', 'erase', 'ab' * 32, 'AB' * 32).out.startswith('1 sample is erased')


def test_without_a_station_the_message_has_the_command(run: Run, tmp_path: Path) -> None:
    ended = run('fleet', 'add', 'ada', '--folder', tmp_path)
    assert (ended.code, "'edgetpu_retrain fleet serve'" in ended.err) == (1, True)
