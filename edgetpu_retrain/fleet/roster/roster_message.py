# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A roster as a message: one line of JSON, and a signature with the fleet's key.

A roster has exactly one valid JSON text, the one that :func:`sign` writes; others are rejected.
"""

from __future__ import annotations

from collections.abc import Mapping
import json
from typing import Any

from edgetpu_retrain.errors import RequestError, RosterError
from edgetpu_retrain.fleet.evidence.claim import MAX_NUMBER
from edgetpu_retrain.fleet.evidence.embedding_space import ID_BYTES
from edgetpu_retrain.fleet.evidence.keys import Key, raw_public
from edgetpu_retrain.fleet.evidence.manifest import EPOCH_DIGITS
from edgetpu_retrain.fleet.evidence.signed_message import sign_message, signed_body
from edgetpu_retrain.fleet.roster.roster import Member, ROLES, Roster
from edgetpu_retrain.store.samples.recording import check_text
from edgetpu_retrain.wording import quoted

MAX_ROSTER_BYTES = 4 << 20
"""The maximum length of a message, bytes: about 25,000 members, or 60,000 erased samples."""

MAX_NAME_LENGTH = 100
"""The maximum length of a member's name, and of a label pattern, characters."""

MAX_PATTERNS = 100
"""The maximum number of label patterns of a member."""

_WHAT = 'fleet roster 1'


def sign(roster: Roster, key: Key) -> bytes:
    """
    Return a roster as a signed message.

    Args:
        roster: the roster.
        key: the private key of the roster's fleet.

    Raises:
        RosterError: if the roster is not valid, is too large, or belongs to another fleet.
    """
    if key.public != roster.fleet:
        raise RosterError(f'the roster is of the fleet {quoted(roster.fleet)}, not {key.public}')
    message = sign_message(_body(roster), key)
    read(message, roster.fleet)
    return message


def read(message: bytes, fleet: str) -> Roster:
    """
    Return the roster in an untrusted message.

    Args:
        message: what was received.
        fleet: public key of this member's fleet, which must have signed the roster.

    Raises:
        RosterError: if anything in the message is not valid.
    """
    if len(message) > MAX_ROSTER_BYTES:
        raise RosterError(f'a roster has {len(message)} bytes: at most {MAX_ROSTER_BYTES}')
    # Verify the signature first, so that JSON from others is never parsed.
    body = signed_body(message, fleet)
    if body is None:
        raise RosterError('a roster is not signed by the key of this fleet')
    try:
        roster = _roster(json.loads(body))
        if roster.fleet != fleet or _body(roster) != body:
            raise ValueError('its fields are not in their one valid form')
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RosterError(f'the roster of this fleet is not valid: {error}') from error
    return roster


def precedence(message: bytes, roster: Roster) -> tuple[int, int, bytes]:
    """
    Return a value that is greater for a newer roster.

    A base station that was restored from a backup may sign two rosters with the same version.  Of
    these, the one issued later is newer.  If the times are equal, the bytes decide, so that all
    members keep the same roster.

    Args:
        message: the message with the roster.
        roster: the roster that was read from it.
    """
    return roster.version, roster.issued_ms, message


def _body(roster: Roster) -> bytes:
    fields = {
        'what': _WHAT,
        'fleet': roster.fleet,
        'version': roster.version,
        'issued_ms': roster.issued_ms,
        'members': [_member_fields(each) for each in sorted(roster.members, key=_key_of)],
        'erased': sorted(sample.hex() for sample in roster.erased),
    }
    return json.dumps(fields, sort_keys=True, separators=(',', ':')).encode()


def _member_fields(member: Member) -> dict[str, Any]:
    keep = member.keep
    return {
        'key': member.key,
        'name': member.name,
        'roles': sorted(member.roles),
        'labels': list(member.labels),
        'expires_ms': member.expires_ms,
        'keep': keep and {epoch: [last, head.hex()] for epoch, (last, head) in keep.items()},
        'may_connect': member.may_connect,
    }


def _roster(fields: Any) -> Roster:
    """Return the roster from parsed JSON; raise one of the errors that :func:`read` catches."""
    roster = Roster(
        fleet=fields['fleet'],
        version=_number(fields['version']),
        issued_ms=_number(fields['issued_ms']),
        members=tuple(_member(each) for each in fields['members']),
        erased=frozenset(_digest(each) for each in fields['erased']),
    )
    if len({member.key for member in roster.members}) != len(roster.members):
        raise ValueError('it lists a key twice')
    return roster


def _member(fields: Any) -> Member:
    key, roles, labels = fields['key'], frozenset(fields['roles']), tuple(fields['labels'])
    if raw_public(key, 'user') is None:
        raise ValueError(f'{quoted(key)} is not the public key of a member')
    if not roles <= set(ROLES):
        raise ValueError(f'{quoted(sorted(roles))} are not roles')
    if len(labels) > MAX_PATTERNS:
        raise ValueError(f'it has {len(labels)} patterns of labels')
    try:
        for text in (fields['name'], *labels):
            check_text('name or pattern', text, MAX_NAME_LENGTH)
    except RequestError as error:
        raise ValueError(str(error)) from error
    if not isinstance(fields['may_connect'], bool):
        raise ValueError('may_connect is not true or false')
    expires_ms = fields['expires_ms']
    return Member(
        key=key,
        name=fields['name'],
        roles=roles,
        labels=labels,
        expires_ms=None if expires_ms is None else _number(expires_ms),
        keep=_keep(fields['keep']),
        may_connect=fields['may_connect'],
    )


def _keep(fields: Mapping[str, Any] | None) -> dict[str, tuple[int, bytes]] | None:
    if fields is None:
        return None
    keep = {}
    for epoch, (last, head) in fields.items():
        if len(epoch) != EPOCH_DIGITS or bytes.fromhex(epoch).hex() != epoch:
            raise ValueError(f'{quoted(epoch)} is not an epoch')
        keep[epoch] = _number(last), _digest(head)
    return keep


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_NUMBER:
        raise ValueError(f'{quoted(value)} is not a number from 0 to {MAX_NUMBER}')
    return value


def _digest(text: str) -> bytes:
    data = bytes.fromhex(text)
    if len(data) != ID_BYTES:
        raise ValueError(f'{quoted(text)} is not a SHA-256')
    return data


def _key_of(member: Member) -> str:
    return member.key
