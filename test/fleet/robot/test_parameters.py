# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the fleet process are checked, and errors say what to set."""

from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.fleet.robot.parameters import PARAMETERS
from edgetpu_retrain.fleet.training.trust.origin_cap import LARGEST_SHARE
import pytest

BY_NAME = {each.name: each for each in PARAMETERS}


def test_addresses_and_paths_are_read() -> None:
    addresses = BY_NAME['fleet'].check('nats://base:4222, nats://site:4222,')
    assert addresses == ('nats://base:4222', 'nats://site:4222')
    assert BY_NAME['credentials'].check('~/ada.json') == Path.home() / 'ada.json'
    assert BY_NAME['max_origin_share'].default == LARGEST_SHARE


@pytest.mark.parametrize(
    ('name', 'value', 'words'),
    [
        ('fleet', '', 'parameter fleet: it is empty, so this robot is in no fleet'),
        ('fleet', ' , ', 'set it to the address of the hub'),
        ('credentials', '', 'parameter credentials: it is empty'),
        ('credentials', '~nobody_has_this_name/ada.json', 'a user who has none here'),
        ('learn_from', 'all', 'set it to evidence or releases'),
    ],
)
def test_what_is_wrong_is_rejected(name: str, value: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        BY_NAME[name].check(value)
