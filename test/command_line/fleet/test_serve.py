# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What `fleet serve` refuses, before it starts a hub."""

from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.station.credentials import Credentials
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.settings import Settings
import pytest
from support.command_line_types import Run

SETTINGS = Settings(('localhost',), '127.0.0.1', 4222, 1 << 30)


@pytest.fixture
def base(tmp_path: Path) -> StationFolder:
    """Make the folder of a base station."""
    folder = StationFolder(tmp_path / 'base')
    folder.make_base(SETTINGS)
    return folder


def add_site(base: StationFolder, name: str) -> Path:
    """Return a file with credentials for the hub of a site."""
    path = base.path.parent / f'{name}.json'
    base.member_credentials(name, Key.generate(), ('localhost',)).write(path)
    return path


def refused(run: Run, folder: StationFolder, credentials: Path) -> str:
    """Run a station at a site; return the error, which ends it before there is a hub."""
    options = ('--upstream', 'nats://localhost', '--credentials', credentials)
    return run('fleet', 'serve', '--folder', folder.path, *options).problem


def test_other_credentials_than_those_of_the_folder_are_refused(
    run: Run, base: StationFolder, tmp_path: Path
) -> None:
    mill, mine = add_site(base, 'mill'), add_site(base, 'mine')
    site = StationFolder(tmp_path / 'site')
    site.make_site(SETTINGS, Credentials.read(mill))
    with site.serving():
        # With the same credentials, the start goes on to where a hub is running already.
        assert 'runs the hub of' in refused(run, site, mill)
        words = refused(run, site, mine)
    assert "has other credentials already, those of 'mill': leave --credentials out" in words
    assert f'move the folder away to begin with {mine}' in words
    assert site.credentials() == Credentials.read(mill)


def test_the_folder_of_a_base_takes_no_credentials(run: Run, base: StationFolder) -> None:
    words = refused(run, base, add_site(base, 'mill'))
    assert 'is the folder of a base station, not of a site: leave --credentials out' in words
