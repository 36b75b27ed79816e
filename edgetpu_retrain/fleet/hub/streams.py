# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The streams of a hub: their names, subjects and limits, and the permissions that members need.

A subject ends with the key of the publisher: the hub lets a member publish only on subjects with
the member's own key.  Yet a member can send a request with another subject as the reply subject,
so that the hub stores its own response there.  So readers verify signatures.

The subject of a pack also names the key that signed the pack, so that a member can read only its
own packs.  The two keys differ if a member republishes a pack of another member that a hub has
lost.  A member that reads a pack on a subject with a wrong signer publishes the pack on the right
subject.

A report is signed by the member that it is about.  Its subject names this member, and then the
publisher.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

EVIDENCE = 'EVIDENCE'
ROSTER = 'ROSTER'
RELEASES = 'RELEASES'
REPORTS = 'REPORTS'

MAX_PAYLOAD = 8 << 20
"""Length of the largest message that a hub should allow, bytes; packs have at most half."""

MAX_CONSUMERS = 200_000
"""
The maximum number of members that read a stream at the same time.

Without this setting, nats-server 2.15 and newer allow 1,000:
https://github.com/nats-io/nats-server/pull/8337
"""

INACTIVE_S = 300
"""
Time without use after which the hub deletes a consumer, seconds.

It is also the maximum that a member can request (in nats-server 2.10 and newer), so that the
consumers of a revoked member are soon deleted.
"""

ROSTER_BYTES = 256 << 20
RELEASE_BYTES = 1 << 30
REPORT_BYTES = 256 << 20
"""Maximum sizes of the streams other than EVIDENCE, bytes, chosen for up to 10,000 members."""


_EVIDENCE_PARTS = 4


@dataclass(frozen=True)
class Stream:
    """
    A stream of the hub.

    Args:
        name: name of the stream.
        subjects: pattern of the subjects whose messages it stores.
        per_subject: number of messages that it keeps of each subject; -1 = all.
        keeps_old: whether a full stream rejects new messages; otherwise it deletes the oldest.
    """

    name: str
    subjects: str
    per_subject: int
    keeps_old: bool

    def configuration(self, max_bytes: int) -> dict[str, Any]:
        """Return the configuration for JetStream, with a maximum size in bytes."""
        return {
            'name': self.name,
            'subjects': [self.subjects],
            'retention': 'limits',
            'storage': 'file',
            'discard': 'new' if self.keeps_old else 'old',
            'max_bytes': max_bytes,
            'max_msgs': -1,
            'max_age': 0,
            'max_consumers': MAX_CONSUMERS,
            'consumer_limits': {'inactive_threshold': INACTIVE_S * 1_000_000_000},
            'max_msgs_per_subject': self.per_subject,
            'duplicate_window': 120_000_000_000,  # nanoseconds
            'num_replicas': 1,
        }


STREAMS = {
    stream.name: stream
    for stream in (
        Stream(EVIDENCE, 'evidence.*.*.*', -1, keeps_old=True),
        Stream(ROSTER, 'roster.*', 1, keeps_old=True),
        Stream(RELEASES, 'release.*.*', -1, keeps_old=True),
        Stream(REPORTS, 'report.*.*', 1, keeps_old=False),
    )
}


def evidence_subject(space: str, origin: str, publisher: str) -> str:
    """
    Return the subject of a pack.

    Args:
        space: token of the embedding space.
        origin: public key that signed the pack.
        publisher: public key of the member that publishes the pack.
    """
    return f'evidence.{space}.{origin}.{publisher}'


def evidence_pattern(space: str, origin: str = '*') -> str:
    """Return the pattern of the subjects of all packs of a space, or of the packs of one key."""
    return f'evidence.{space}.{origin}.*'


def origin_of(subject: str) -> str:
    """Return the signing key in the subject of a pack; '' = the subject has no such key."""
    parts = subject.split('.')
    return parts[2] if len(parts) == _EVIDENCE_PARTS else ''


def report_subject(about: str, publisher: str) -> str:
    """
    Return the subject of a report.

    Args:
        about: public key of the member that the report is about.
        publisher: public key of the member that publishes the report.
    """
    return f'report.{about}.{publisher}'


def inbox_prefix(key: str) -> str:
    """Return the prefix of the subjects on which only the member with this key gets responses."""
    return f'_INBOX_{key}'


def publish_permissions(key: str, roles: Iterable[str]) -> list[str]:
    """
    Return the subjects on which a member must be allowed to publish.

    The subjects of MSG.NEXT allow reading from any consumer.  But the name of a consumer is random
    and known only to its member, so members cannot read from the consumers of others.

    Args:
        key: public key of the member.
        roles: its roles, see :class:`~edgetpu_retrain.fleet.roster.roster.Member`.
    """
    subjects = [report_subject(key, key), f'roster.{key}']
    if {'propose', 'teach'} & set(roles):
        subjects += [f'evidence.*.*.{key}', f'report.*.{key}']
    if 'release' in roles:
        subjects.append(f'release.*.{key}')
    return subjects + [
        subject
        for name in (EVIDENCE, ROSTER, RELEASES)
        for subject in (
            f'$JS.API.CONSUMER.CREATE.{name}.*.{STREAMS[name].subjects}',
            f'$JS.API.CONSUMER.MSG.NEXT.{name}.*',
        )
    ]


def subscribe_permissions(key: str) -> list[str]:
    """Return the subjects to which a member must be allowed to subscribe."""
    return [f'{inbox_prefix(key)}.>']


def station_permissions(key: str) -> list[str]:
    """Return the subjects on which a station must be allowed to publish at its own hub."""
    return [f'{kind}.{key}' for kind in ('report.*', 'roster', 'evidence.*.*', 'release.*')] + [
        '$JS.API.>'
    ]
