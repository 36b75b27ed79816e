# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""StationFolder: all files of a station; a copy of the folder is a backup of the station."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
import fcntl
import json
import os
from pathlib import Path
import time
from typing import Any

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.roster import roster_message
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.fleet.roster.roster_message import precedence
from edgetpu_retrain.fleet.station import certificates
from edgetpu_retrain.fleet.station.certificates import Certificate
from edgetpu_retrain.fleet.station.credentials import Credentials
from edgetpu_retrain.fleet.station.private_file import read_private, write_private
from edgetpu_retrain.fleet.station.settings import LOCAL_NAMES, Settings
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.store.files.durable_file import make_folder
from edgetpu_retrain.store.files.regular_file import read_regular_file

FOLDER_NAME = 'edgetpu_retrain_fleet'
_STATION = 'station'


class StationFolder:
    """
    The folder of a station.

    The folder of a base station has the key of the fleet.  The station of a site has only the
    credentials of a member, and gets its roster and the certificate of its hub from the base.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.configuration = path / 'nats-server.conf'
        self.store = path / 'store'
        self.certificate = path / 'hub.pem'
        self.certificate_key = path / 'hub.key'
        self.data = path / 'data'
        """Data folder of the station's own member."""
        self.roster_file = path / 'roster'
        self._settings = path / 'settings.json'
        self._credentials = path / 'station.json'
        self._fleet_key = path / 'fleet.seed'
        self._authority = path / 'authority.pem', path / 'authority.key'

    def exists(self) -> bool:
        """Return whether this is the folder of a station."""
        return self._settings.exists()

    def check(self) -> None:
        """Raise FleetError if this is not the folder of a station."""
        if not self.exists():
            raise FleetError(
                f"{self.path} is not the folder of a fleet's station: give --folder, or make one "
                "with 'edgetpu_retrain fleet serve'"
            )

    @property
    def is_base(self) -> bool:
        """Whether this folder has the key of the fleet."""
        return self._fleet_key.exists()

    def settings(self) -> Settings:
        """Return how the station runs its hub; raise FleetError if the file cannot be used."""
        self.check()
        content = read_private(self._settings)
        try:
            values: dict[str, Any] = json.loads(content)
            return Settings(
                tuple(map(str, values['names'])),
                str(values['host']),
                int(values['port']),
                int(values['evidence_bytes']),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise FleetError(
                f'{self._settings} is damaged ({error}): take it from a backup of the folder'
            ) from error

    def credentials(self) -> Credentials:
        """Return the credentials of the station's own member."""
        self.check()
        return Credentials.read(self._credentials)

    def fleet_key(self) -> Key:
        """Return the key that signs rosters; raise FleetError at the station of a site."""
        self.check()
        if not self.is_base:
            raise FleetError(
                f"{self.path} is the folder of a site's station, which does not have the key of "
                'the fleet: do this at the base station'
            )
        return Key.from_seed(read_private(self._fleet_key).decode(errors='replace'))

    def write_settings(self, settings: Settings) -> None:
        """Store how the station runs its hub; at a base, renew the hub's certificate if needed."""
        write_private(self._settings, json.dumps(asdict(settings), indent=1).encode() + b'\n')
        self.renew_certificate()

    def renew_certificate(self) -> bool:
        """
        Renew the hub's certificate if it is missing or damaged, expires soon or has other names.

        The private key is kept unless it is damaged, so that only the file of the certificate is
        replaced: if the renewal fails, the old certificate still belongs to the key.

        Returns:
            Whether there is a new certificate; always False at the station of a site, whose
            certificate comes from the base.
        """
        if not self.is_base:
            return False
        wanted = self.settings().certified_names
        old = Certificate(_text_of(self.certificate), _text_of(self.certificate_key))
        if certificates.is_current(old, wanted):
            return False
        made = certificates.make_hub_certificate(self._load_authority(), wanted, old.key)
        if made.key != old.key:
            write_private(self.certificate_key, made.key.encode())
        write_private(self.certificate, made.pem.encode())
        return True

    def make_base(self, settings: Settings) -> None:
        """
        Make this the folder of a new fleet's base station.

        Raises:
            FleetError: if a name of the hub is invalid.
            StoreError: if the disk fails.
        """
        with as_store_error('create the station folder', self.path):
            make_folder(self.path.absolute(), 0o700)
        fleet, member = Key.generate('account'), Key.generate()
        authority = certificates.make_authority(fleet.public)
        # Check the names of the hub first: an invalid name must not leave an incomplete folder.
        certificates.make_hub_certificate(authority, settings.certified_names)
        write_private(self._authority[1], authority.key.encode())
        write_private(self._authority[0], authority.pem.encode())
        credentials = Credentials(
            _STATION, member.seed, fleet.public, settings.local_url, authority.pem
        )
        credentials.write(self._credentials)
        write_private(self._fleet_key, fleet.seed.encode() + b'\n')
        station = Member(member.public, _STATION, frozenset({'read', 'release'}))
        self._write_roster(Roster(fleet.public, 1, _now_ms(), (station,)), fleet)
        self.write_settings(settings)

    def make_site(self, settings: Settings, credentials: Credentials) -> None:
        """
        Make this the folder of a site's station, which is a member of an existing fleet.

        Raises:
            FleetError: if the credentials have no certificate for a hub.
            StoreError: if the disk fails.
        """
        if not credentials.certificate:
            raise FleetError(
                f'the credentials of {credentials.name!r} have no certificate for a hub: make '
                "them at the base station with 'edgetpu_retrain fleet add NAME --role propose "
                "--hub-name HOST', with the name at which robots reach this machine"
            )
        with as_store_error('create the station folder', self.path):
            make_folder(self.path.absolute(), 0o700)
        write_private(self.certificate_key, credentials.certificate_key.encode())
        write_private(self.certificate, credentials.certificate.encode())
        credentials.write(self._credentials)
        self.write_settings(settings)

    def roster(self) -> Roster | None:
        """Return the newest roster of this station; None if it has not received one yet."""
        message = self.roster_message()
        return None if message is None else roster_message.read(message, self.credentials().fleet)

    def roster_message(self) -> bytes | None:
        """Return the signed message with the newest roster; None if there is none yet."""
        self.check()
        with as_store_error('read', self.roster_file):
            return read_regular_file(self.roster_file) if self.roster_file.exists() else None

    def change_roster(self, change: Callable[[Roster], Roster]) -> Roster:
        """
        Change the roster, and sign it; a running station applies it within a second.

        Args:
            change: called with the present roster; returns a roster with the changed members and
                erased samples, whose other fields are ignored.  Its exceptions propagate.

        Returns:
            The new roster.

        Raises:
            FleetError: if this station does not have the key of the fleet, the roster is missing,
                or the changed roster is invalid.
        """
        key = self.fleet_key()
        with self._locked():
            present = self.roster()
            if present is None:
                raise FleetError(f'{self.roster_file} is missing: take it from a backup')
            changed = change(present)
            roster = Roster(
                present.fleet,
                present.version + 1,
                _now_ms(),
                changed.members,
                changed.erased,
            )
            return self._write_roster(roster, key)

    def adopt_roster(self, message: bytes) -> bool:
        """
        Store a roster from a hub if it is newer than that of this folder.

        The comparison is :func:`.roster_message.precedence`, as in the ledger.  If this folder has
        no roster, any valid roster is stored.

        Returns:
            Whether the received roster was stored.

        Raises:
            FleetError: if the message is invalid.
            StoreError: if the disk fails.
        """
        fleet = self.credentials().fleet
        with self._locked():
            offered = precedence(message, roster_message.read(message, fleet))
            present = self.roster_message()
            if present is not None and offered <= precedence(
                present, roster_message.read(present, fleet)
            ):
                return False
            write_private(self.roster_file, message)
        return True

    def member_credentials(self, name: str, key: Key, hub_names: tuple[str, ...]) -> Credentials:
        """
        Return the credentials of a new member.

        Args:
            name: name of the member.
            key: the member's new key.
            hub_names: names and addresses of the member's own hub; empty = it runs none.

        Raises:
            FleetError: if a name of the hub is invalid, or if a hub is to be certified at the
                station of a site, which does not have the authority's key.
        """
        hub = Certificate('', '')
        if hub_names:
            hub = certificates.make_hub_certificate(
                self._load_authority(), tuple(dict.fromkeys((*hub_names, *LOCAL_NAMES)))
            )
        own = self.credentials()
        return Credentials(name, key.seed, own.fleet, self.settings().url, own.ca, *hub)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """
        Lock the folder, which is created if it is missing, while the hub runs.

        Raises:
            FleetError: if it is locked already.
        """
        with as_store_error('create the station folder', self.path):
            make_folder(self.path.absolute(), 0o700)
        with _lock(self.path / 'serving', wait=False):
            yield

    def _load_authority(self) -> Certificate:
        self.fleet_key()
        pem, key = (read_private(path).decode() for path in self._authority)
        return Certificate(pem, key)

    def _write_roster(self, roster: Roster, key: Key) -> Roster:
        message = roster_message.sign(roster, key)
        write_private(self.roster_file, message)
        return roster_message.read(message, key.public)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with _lock(self.path / 'lock', wait=True):
            yield


def default_station_folder() -> Path:
    """Return the default folder of a station, in ``$ROS_HOME`` (default: ``~/.ros``)."""
    return Path(os.environ.get('ROS_HOME') or '~/.ros').expanduser() / FOLDER_NAME


@contextmanager
def _lock(path: Path, *, wait: bool) -> Iterator[None]:
    with as_store_error('lock', path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise FleetError(
                f"another 'edgetpu_retrain fleet serve' runs the hub of {path.parent} already"
            ) from error
        yield
    finally:
        os.close(descriptor)


def _text_of(path: Path) -> str:
    """Return the text of a private file; '' if there is none."""
    return read_private(path).decode(errors='replace') if path.exists() else ''


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
