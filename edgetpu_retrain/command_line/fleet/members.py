# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands fleet add and fleet change: add members, and change what each may do."""

from __future__ import annotations

from pathlib import Path

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.fleet.options import (
    known_roster,
    moment_in_words,
    read_moment,
    station_folder,
)
from edgetpu_retrain.command_line.output import emit
from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.roster.roster import Member, ROLES
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.roster_changes import (
    add_member,
    change_member,
    find_member,
    read_roles,
)

_roles = click.option(
    '--role',
    'roles',
    multiple=True,
    type=click.Choice(ROLES),
    help='What it may do; may be given several times.  The samples of a member that may only '
    'propose wait for a teacher.  [default for a new member: propose]',
)
_labels = click.option(
    '--labels',
    multiple=True,
    metavar='PATTERN',
    help="It may only use labels like this one, such as 'mug*'; may be given several times.  "
    '[default for a new member: all labels]',
)
_expires = click.option(
    '--expires',
    default='',
    metavar='TIME',
    help='What it claims afterwards does not count, and it may no longer connect: 90d, or a date '
    'such as 2027-01-31.  [default for a new member: never]',
)


@click.command()
@click.argument('name', metavar='NAME')
@_roles
@_labels
@_expires
@click.option(
    '--hub-name',
    'hub_names',
    multiple=True,
    metavar='HOST',
    help='For a member that runs the hub of a site: a name or address at which robots reach it.',
)
@click.option(
    '--out', type=options.PATH, metavar='FILE', help='The file to write.  [default: NAME.json]'
)
@station_folder
@options.as_json
def add(
    name: str,
    roles: tuple[str, ...],
    labels: tuple[str, ...],
    expires: str,
    hub_names: tuple[str, ...],
    out: Path | None,
    folder: StationFolder,
) -> None:
    """
    Add the member NAME, and write a file with the credentials that it needs to join.

    Copy the file to the robot and delete it here: whoever has the file can act as this member.
    """
    known_roster(folder)
    path = (out or Path(f'{name}.json')).absolute()
    if path.exists():
        raise RequestError(f'{path} exists already: give the name of a new file with --out')
    if not out and ('/' in name or name.startswith('.')):
        raise RequestError(f'no file can have the name of {name!r}: give one with --out')
    key = Key.generate()
    expires_ms = read_moment(expires, later=True) if expires else None
    member = Member(key.public, name, read_roles(roles or ('propose',)), labels, expires_ms)
    credentials = folder.member_credentials(name, key, hub_names)
    credentials.write(path)
    try:
        folder.change_roster(lambda roster: add_member(roster, member))
    except RetrainError:
        path.unlink()
        raise
    emit(
        {
            'name': name,
            'key': key.public,
            'roles': sorted(member.roles),
            'labels': list(labels),
            'expires_ms': expires_ms,
            'credentials': str(path),
            'url': credentials.url,
        },
        f'{name} may {_permissions(member)}.  Copy {path} to it (mode 0600), and there:',
        f'ros2 launch edgetpu_retrain fleet.launch.py fleet:={credentials.url} '
        f'credentials:=/path/to/{path.name}'
        if not hub_names
        else f'edgetpu_retrain fleet serve --upstream {credentials.url} --credentials {path.name}',
    )


@click.command()
@click.argument('who', metavar='NAME|KEY')
@_roles
@_labels
@_expires
@station_folder
@options.as_json
def change(
    who: str,
    roles: tuple[str, ...],
    labels: tuple[str, ...],
    expires: str,
    folder: StationFolder,
) -> None:
    """
    Change the roles, labels or expiry of a member.

    The change also applies to what the member has taught already.  Settings whose option is not
    given stay unchanged; --labels '*' permits all labels.
    """
    if not (roles or labels or expires):
        raise click.UsageError('Give --role, --labels or --expires.')
    key = find_member(known_roster(folder), who).key
    expires_ms = read_moment(expires, later=True) if expires else None
    roster = folder.change_roster(
        lambda present: change_member(
            present,
            key,
            roles=read_roles(roles) if roles else None,
            labels=labels or None,
            expires_ms=expires_ms,
        )
    )
    member = find_member(roster, key)
    emit(
        {
            'name': member.name,
            'key': key,
            'roles': sorted(member.roles),
            'labels': list(member.labels),
            'expires_ms': member.expires_ms,
        },
        f'{member.name} may {_permissions(member)}.',
    )


def _permissions(member: Member) -> str:
    words = ' and '.join(sorted(member.roles))
    if member.labels:
        words += f', with labels like {", ".join(member.labels)}'
    if member.expires_ms is not None:
        words += f', until {moment_in_words(member.expires_ms)}'
    return words
