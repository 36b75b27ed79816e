# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Credentials: the file with which a robot joins a fleet."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
import json
from pathlib import Path
from typing import Any

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.evidence.keys import check_public, Key
from edgetpu_retrain.fleet.station.private_file import read_private, write_private

_WHAT = 'edgetpu_retrain fleet credentials 1'


@dataclass(frozen=True)
class Credentials:
    """
    What a member of a fleet needs to connect to the hub; secret, because it has the private key.

    Args:
        name: name of the robot or person.
        seed: the seed of the member's private key; it begins with 'SU'.
        fleet: public key of the fleet; it begins with 'A', and verifies rosters.
        url: address of the hub, such as ``nats://base:4222``.
        ca: certificate of the fleet's authority, which verifies the hubs' certificates, PEM.
        certificate: for a member that runs a hub of its own: the certificate of that hub, PEM; ''
            for other members.
        certificate_key: the private key of ``certificate``, PEM; '' for other members.
    """

    name: str
    seed: str
    fleet: str
    url: str
    ca: str
    certificate: str = ''
    certificate_key: str = ''

    @property
    def key(self) -> Key:
        """The member's private and public key, from the seed."""
        return Key.from_seed(self.seed)

    @classmethod
    def read(cls, path: Path) -> Credentials:
        """
        Return the credentials in a file.

        Raises:
            FleetError: if the file is missing, invalid, or accessible to other users.
        """
        content = read_private(path)
        try:
            values: Any = json.loads(content)
            if values.pop('what') != _WHAT:
                raise ValueError('it has another type')
            names = {field.name for field in fields(cls)}
            if values.keys() - names or not all(type(each) is str for each in values.values()):
                raise ValueError('a field is not one of credentials')
            credentials = cls(**values)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise FleetError(
                f'{path} is not a file of credentials ({error}): copy the file that '
                "'edgetpu_retrain fleet add' wrote, whole"
            ) from error
        Key.from_seed(credentials.seed)
        check_public(credentials.fleet, 'account')
        return credentials

    def write(self, path: Path) -> None:
        """
        Write the credentials to a file that only this user can read.

        Raises:
            StoreError: if the file cannot be written.
        """
        content = {'what': _WHAT, **asdict(self)}
        write_private(path, json.dumps(content, indent=1).encode() + b'\n')
