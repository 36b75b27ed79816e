# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Report: the state of a member, for the operator."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, MISSING
import json
from typing import Any

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.signed_message import sign_message, signed_body
from edgetpu_retrain.fleet.hub.connection import Hub
from edgetpu_retrain.fleet.hub.stream_reader import open_reader
from edgetpu_retrain.fleet.hub.streams import REPORTS, STREAMS
from edgetpu_retrain.wording import presentable

MAX_REPORT_BYTES = 16 << 10
"""The maximum length of a report, bytes."""

MAX_PROBLEMS = 8
"""The maximum number of problems in a report."""

MAX_TEXT_LENGTH = 300
"""The maximum length of a text, characters; with 4 bytes each, all texts fit in a report."""

_WHAT = 'fleet report'
_MOST = 1 << 53


@dataclass(frozen=True)
class Report:
    """
    The state of a member.

    Args:
        name: name of the robot.
        stamp_ms: when the report was made, by the robot's clock, milliseconds since 1970.
        version: number of the model version in use; 0 = none.
        samples: number of samples that it labels itself.
        trusted: number of samples in its last training, including those of others; 0 = not known.
        behind: number of packs at its hub that it has yet to read; -1 = not known.
        unpublished: number of its own claims that no hub has yet.
        frontier: digest of the packs that count, equal on members for which the same packs count.
        gate: outcome of the last training, one sentence.
        quarantine: number of quarantined packs, without those that the roster excludes.
        waiting: number of packs that wait for an earlier one, or for a roster that accepts them.
        proposals: number of samples that wait for a teacher.
        disagreements: number of samples about which teachers disagree.
        problems: what is wrong, one sentence each.
    """

    name: str
    stamp_ms: int
    version: int = 0
    samples: int = 0
    trusted: int = 0
    behind: int = -1
    unpublished: int = 0
    frontier: str = ''
    gate: str = ''
    quarantine: int = 0
    waiting: int = 0
    proposals: int = 0
    disagreements: int = 0
    problems: tuple[str, ...] = ()

    def encode(self, key: Key) -> bytes:
        """Return the report as a message, signed with the key of the member."""
        content = {'what': _WHAT} | asdict(self)
        content |= {
            'name': _text(self.name),
            'gate': _text(self.gate),
            'problems': [_text(each) for each in self.problems[:MAX_PROBLEMS]],
        }
        return sign_message(json.dumps(content, ensure_ascii=False).encode(), key)

    @classmethod
    def decode(cls, message: bytes, public: str) -> Report:
        """
        Return the report in a message.

        Args:
            message: untrusted bytes.
            public: public key of the member, which must have signed it.

        Raises:
            FleetError: if the message is not a valid report of this member.
        """
        if len(message) > MAX_REPORT_BYTES:
            raise FleetError(f'a report has {len(message)} bytes; {MAX_REPORT_BYTES} are allowed')
        body = signed_body(message, public)
        if body is None:
            raise FleetError('a report is not signed by the member that it is about')
        try:
            content = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise FleetError('a report is not JSON') from error
        if not isinstance(content, dict) or content.get('what') != _WHAT:
            raise FleetError('a report is not a JSON object of its kind')
        return cls(
            **{
                field.name: _checked(field.name, content.get(field.name))
                for field in fields(cls)
                if field.name in content or field.default is MISSING
            }
        )


@dataclass(frozen=True)
class SeenReport:
    """
    The last report of a member, published by the member itself or relayed by a station.

    Args:
        key: public key of the member.
        received_ms: when the hub received the report, milliseconds since 1970.
        report: the report; None if the message is not a valid report that this member has signed.
            Other members can make the hub store such a message, see streams.py.
    """

    key: str
    received_ms: int
    report: Report | None

    @property
    def made_ms(self) -> int:
        """Time of the report, not later than ``received_ms``; -1 = there is no valid report."""
        return -1 if self.report is None else min(self.report.stamp_ms, self.received_ms)


async def read_reports(hub: Hub) -> list[SeenReport]:
    """
    Return the last report of each member.

    Args:
        hub: a connection with the station's key.

    Raises:
        HubError: if the hub does not let the key read reports, or the connection is lost.
    """
    reader = await open_reader(hub, REPORTS, STREAMS[REPORTS].subjects, 1)
    seen: dict[str, SeenReport] = {}
    async for message in reader.read_present():
        key = message.subject.split('.')[1]
        found = SeenReport(key, message.received_ms, _read(message.data, key))
        # A report that is published again later must not make its member appear online.
        if key not in seen or found.made_ms > seen[key].made_ms:
            seen[key] = found
    return list(seen.values())


def _read(message: bytes, public: str) -> Report | None:
    try:
        return Report.decode(message, public)
    except FleetError:
        return None


def _text(value: str) -> str:
    return presentable(value[:MAX_TEXT_LENGTH])


def _checked(name: str, value: Any) -> Any:
    """Return the value of a field, from JSON; raise FleetError if it is not valid."""
    if name == 'problems':
        if isinstance(value, list) and len(value) <= MAX_PROBLEMS:
            return tuple(_checked('problem', each) for each in value)
    elif name in {'name', 'frontier', 'gate', 'problem'}:
        if isinstance(value, str):
            return _text(value)
    elif isinstance(value, int) and not isinstance(value, bool) and -_MOST < value < _MOST:
        return value
    raise FleetError(f'the field {name} of a report has a value that it cannot have')
