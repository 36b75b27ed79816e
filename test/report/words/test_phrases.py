# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Formatting of labels, shares and lists in the report."""

from __future__ import annotations

from edgetpu_retrain.report.words.phrases import listed, percent, points, quoted, shown
import pytest


@pytest.mark.parametrize(
    ('share', 'text'),
    [(0.0, '0 %'), (1.0, '100 %'), (0.9999, '99.9 %'), (0.0001, '0.1 %'), (0.5, '50 %')],
)
def test_a_share_is_never_rounded_to_0_or_100_percent(share: float, text: str) -> None:
    assert percent(share) == text


def test_a_label_cannot_turn_the_text_around_it() -> None:
    assert shown('cup\u202egpj.exe') == 'cupgpj.exe'
    assert quoted('a\u2066b') == '“\u2068ab\u2069”'


def test_points_have_a_sign_and_no_negative_zero() -> None:
    assert points(0.0312) == '+3.1 points'
    assert points(-0.00001) == '+0.0 points'


def test_enumerations() -> None:
    assert listed([]) == ''
    assert listed(['a']) == 'a'
    assert listed(['a', 'b']) == 'a and b'
