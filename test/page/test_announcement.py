# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The addresses that the page prints."""

from __future__ import annotations

from edgetpu_retrain.page import announcement
from edgetpu_retrain.page.access.sessions import OBSERVER, TEACHER
from edgetpu_retrain.page.announcement import Announcement
from edgetpu_retrain.page.options import EVERYWHERE, Options
import pytest


def printed(
    host: str,
    outward: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> str:
    """Return what is printed for a teacher and an observer with --lan."""
    monkeypatch.setattr(announcement, 'outward_address', lambda: outward)
    monkeypatch.setattr(announcement, 'qr_code', lambda text: f'QR code of {text}')
    shown = Announcement(Options(host, 8642, lan=True))
    for role in (TEACHER, OBSERVER):
        shown.token(role, f'for-{role}')
    return capsys.readouterr().out


@pytest.mark.parametrize('host', [EVERYWHERE, '::', '10.42.0.1'])
def test_the_address_in_the_network_is_printed_with_its_qr_code(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(host, '10.42.0.1', monkeypatch, capsys).splitlines() == [
        'The page for one teacher, once: http://10.42.0.1:8642/enter?token=for-teacher',
        'QR code of http://10.42.0.1:8642/enter?token=for-teacher',
        'The page for one observer, once: http://10.42.0.1:8642/enter?token=for-observer',
    ]


def test_without_a_network_there_is_no_qr_code_but_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(EVERYWHERE, None, monkeypatch, capsys).splitlines()
    assert lines[0].endswith('http://127.0.0.1:8642/enter?token=for-teacher')
    assert 'only it can open' in lines[1]
    assert 'give --host ADDRESS' in lines[1]
    assert lines[2].startswith('The page for one observer')


def test_a_given_address_needs_no_network(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed('fd00::1', None, monkeypatch, capsys).splitlines()
    assert lines[1] == 'QR code of http://[fd00::1]:8642/enter?token=for-teacher'
