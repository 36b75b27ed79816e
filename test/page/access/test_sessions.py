# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.page.access import sessions
from edgetpu_retrain.page.access.sessions import OBSERVER, Sessions, TEACHER
from edgetpu_retrain.page.refused import RefusedError
import pytest


def begun() -> tuple[Sessions, list[tuple[str, str]]]:
    announced: list[tuple[str, str]] = []
    made = Sessions(lambda role, token: announced.append((role, token)))
    made.begin()
    return made, announced


def test_each_role_has_a_token() -> None:
    made, announced = begun()
    assert [role for role, _ in announced] == [TEACHER, OBSERVER]
    for role, token in list(announced):
        assert made.role(made.enter(token)) == role
    assert len({token for _, token in announced}) == 4


def test_a_token_is_valid_once_and_the_next_one_is_announced() -> None:
    made, announced = begun()
    _, token = announced[0]
    cookie = made.enter(token)
    with pytest.raises(RefusedError, match='used before'):
        made.enter(token)
    assert made.role(cookie) == TEACHER
    assert announced[-1][0] == TEACHER
    assert made.role(made.enter(announced[-1][1])) == TEACHER


@pytest.mark.parametrize('token', ['', 'wrong', 'ä', '\ud800', 'x' * 100_000])
def test_a_wrong_token_opens_nothing(token: str) -> None:
    made, announced = begun()
    with pytest.raises(RefusedError, match='is wrong'):
        made.enter(token)
    assert len(announced) == 2


def test_a_cookie_that_the_server_did_not_make_is_nobody() -> None:
    made, _ = begun()
    assert made.role('') is None
    assert made.role('teacher') is None


def test_sessions_are_bounded_and_the_least_recently_used_one_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, 'MAX_SESSIONS', 3)
    made, announced = begun()
    cookies = [made.enter(announced[-1][1]) for _ in range(3)]
    assert made.role(cookies[0]) == OBSERVER
    made.enter(announced[-1][1])
    assert made.role(cookies[0]) == OBSERVER
    assert made.role(cookies[1]) is None
