# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The file with which a robot joins a fleet."""

from __future__ import annotations

import json
from pathlib import Path
import stat

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.station.credentials import Credentials
import pytest


@pytest.fixture
def credentials() -> Credentials:
    fleet = Key.generate('account').public
    return Credentials('ada', Key.generate().seed, fleet, 'nats://base:4222', 'a certificate')


def test_credentials_are_read_as_they_were_written(
    credentials: Credentials, tmp_path: Path
) -> None:
    path = tmp_path / 'ada.json'
    credentials.write(path)
    assert Credentials.read(path) == credentials
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ['ada.json']


@pytest.mark.parametrize('mode', [0o640, 0o604, 0o620])
def test_credentials_that_others_can_read_or_change_are_rejected(
    credentials: Credentials, tmp_path: Path, mode: int
) -> None:
    path = tmp_path / 'ada.json'
    credentials.write(path)
    path.chmod(mode)
    with pytest.raises(FleetError, match=f'mode 0{mode:o}.*chmod 600 {path}'):
        Credentials.read(path)


def test_a_link_is_not_followed(credentials: Credentials, tmp_path: Path) -> None:
    credentials.write(tmp_path / 'ada.json')
    (tmp_path / 'link').symlink_to('ada.json')
    with pytest.raises(FleetError, match='symbolic link'):
        Credentials.read(tmp_path / 'link')


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match=f'no file {tmp_path}/none'):
        Credentials.read(tmp_path / 'none')


@pytest.mark.parametrize(
    'change',
    [
        {'what': 'edgetpu_retrain fleet credentials 2'},
        {'url': None},
        {'ca': 3},
        {'more': 'text'},
    ],
)
def test_other_content_is_rejected(
    credentials: Credentials, tmp_path: Path, change: dict[str, object]
) -> None:
    path = tmp_path / 'ada.json'
    credentials.write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(FleetError, match='copy the file that'):
        Credentials.read(path)


@pytest.mark.parametrize('content', [b'', b'{"what"', b'[]', b'\xff' * 100, b'[' * 60_000])
def test_what_is_no_json_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'ada.json'
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(FleetError, match='copy the file that'):
        Credentials.read(path)


def test_a_damaged_seed_is_rejected(credentials: Credentials, tmp_path: Path) -> None:
    path = tmp_path / 'ada.json'
    credentials.write(path)
    seed = credentials.seed
    other = 'A' if seed[20] != 'A' else 'B'
    path.write_text(path.read_text().replace(seed, seed[:20] + other + seed[21:]))
    with pytest.raises(FleetError, match='seed of the key is not valid'):
        Credentials.read(path)
