# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reports: what a member says about itself, which the operator's program does not trust."""

from __future__ import annotations

import json

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.signed_message import sign_message
from edgetpu_retrain.fleet.hub.reports import MAX_REPORT_BYTES, Report
import pytest

ADA, EVE = Key.generate(), Key.generate()
FULL = Report(
    'Ada', 1_700_000_000_000, 3, 120, 560, 0, 2, 'ab' * 8, 'served', 1, 2, 3, 4, ('hot',)
)


def test_a_report_survives_its_message() -> None:
    assert Report.decode(FULL.encode(ADA), ADA.public) == FULL


@pytest.mark.parametrize(
    'message',
    [
        FULL.encode(EVE),
        FULL.encode(ADA).replace(b'120', b'121'),
        FULL.encode(ADA) + b'\n',
        FULL.encode(ADA)[:-90],
        b'{"stream": "EVIDENCE", "seq": 7}',
        sign_message(b'{"what": "fleet roster", "name": "Ada", "stamp_ms": 5}', ADA),
    ],
)
def test_what_the_member_did_not_sign_as_a_report_is_rejected(message: bytes) -> None:
    with pytest.raises(FleetError, match=r'not signed|of its kind'):
        Report.decode(message, ADA.public)


def test_a_report_of_another_version_is_read() -> None:
    message = sign_message(
        b'{"what": "fleet report", "name": "Ada", "stamp_ms": 5, "mood": "good"}', ADA
    )
    assert Report.decode(message, ADA.public) == Report('Ada', 5)


def test_text_of_a_report_is_one_printable_line() -> None:
    report = Report('Ada\n\x1b[2J', 5, problems=('a\nb',))
    assert Report.decode(report.encode(ADA), ADA.public).name.isprintable()
    assert Report.decode(report.encode(ADA), ADA.public).problems[0].isprintable()


def test_the_longest_report_can_be_read() -> None:
    longest = Report('\N{ROBOT FACE}' * 999, 5, problems=('\N{ROBOT FACE}' * 9999,) * 99)
    assert len(Report.decode(longest.encode(ADA), ADA.public).problems) == 8


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'\xff',
        b'[' * 10_000,
        b'[]',
        b'{}',
        b'{"name": "Ada"}',
        b'{"name": 1, "stamp_ms": 5}',
        b'{"name": "Ada", "stamp_ms": "5"}',
        b'{"name": "Ada", "stamp_ms": 5, "samples": true}',
        b'{"name": "Ada", "stamp_ms": 5, "samples": 1e300}',
        b'{"name": "Ada", "stamp_ms": 5, "samples": 99999999999999999999}',
        b'{"name": "Ada", "stamp_ms": 5, "problems": "none"}',
        b'{"name": "Ada", "stamp_ms": 5, "problems": [1]}',
        json.dumps({'name': 'Ada', 'stamp_ms': 5, 'problems': ['x'] * 17}).encode(),
        json.dumps({'name': 'A' * MAX_REPORT_BYTES, 'stamp_ms': 5}).encode(),
    ],
)
def test_what_is_no_report_is_rejected(content: bytes) -> None:
    body = content.replace(b'{', b'{"what": "fleet report", ', 1).replace(b', }', b'}')
    with pytest.raises(FleetError) as caught:
        Report.decode(sign_message(body, ADA), ADA.public)
    assert 'not signed' not in str(caught.value)
