# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Times and sizes as an operator writes them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
import time

from edgetpu_retrain.command_line.fleet.options import (
    moment_in_words,
    read_moment,
    read_size,
    size_in_words,
    use_hub,
)
from edgetpu_retrain.errors import HubLostError, RequestError
from edgetpu_retrain.fleet.hub.connection import Hub
import pytest
from support.running_station import RunningStation

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ('text', 'hours'), [('90m', 1.5), ('12h', 12), ('3d', 72), ('2w', 336), ('1y', 8760)]
)
def test_a_duration_is_from_now(text: str, hours: float) -> None:
    before, after = 1000 * time.time(), 1000 * (time.time() + 60)
    assert before - 60_000 <= read_moment(text, later=True) - hours * HOUR_MS <= after
    assert before - 60_000 <= read_moment(text, later=False) + hours * HOUR_MS <= after


def test_a_date_is_in_the_time_of_this_machine() -> None:
    for text in ('2027-01-31', '2027-01-31T12:00', '2027-01-31 12:00:30'):
        moment = datetime.fromisoformat(text)
        assert read_moment(text, later=True) == 1000 * moment.timestamp()
        assert moment_in_words(read_moment(text, later=True)) == moment.strftime('%Y-%m-%d %H:%M')


@pytest.mark.parametrize('text', ['', 'soon', '90', '90 d', '-3d', '31.1.2027', '2027-02-30'])
def test_what_is_no_time_is_rejected(text: str) -> None:
    with pytest.raises(RequestError, match='not a time: give a duration such as 90d'):
        read_moment(text, later=True)


def test_a_time_before_1970_is_rejected() -> None:
    for text in ('1969-01-01', '999y'):
        with pytest.raises(RequestError, match='before 1970'):
            read_moment(text, later=False)


def test_a_time_that_has_no_date_is_rejected() -> None:
    for text in ('9999-06-01', '9999y', '999999y'):
        with pytest.raises(RequestError, match='after 9998'):
            read_moment(text, later=True)
    assert moment_in_words(read_moment('9998-12-30', later=True)) == '9998-12-30 00:00'


@pytest.mark.parametrize(
    ('text', 'size'), [('50GB', 50 * 10**9), ('1.5 TB', 15 * 10**11), ('20mb', 2 * 10**7)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize('text', ['', '50', 'GB', '1B', '-5GB', '999999999TB', '5 GiB'])
def test_what_is_no_size_is_rejected(text: str) -> None:
    with pytest.raises(RequestError, match='not a size'):
        read_size(text)


def test_sizes_are_printed_in_their_unit() -> None:
    assert [size_in_words(each) for each in (2 * 10**7, 5 * 10**10, 3 * 10**12)] == [
        '20.0 MB',
        '50.0 GB',
        '3.0 TB',
    ]


def test_a_command_whose_connection_is_lost_tries_again(tmp_path: Path) -> None:
    lost = 0

    async def use(hub: Hub) -> str:
        nonlocal lost
        if lost < losses:
            lost += 1
            await hub.close()
        return str((await hub.api('STREAM.INFO.EVIDENCE', {}))['config']['name'])

    with RunningStation(tmp_path / 'base') as station:
        station.wait_until_ready()
        losses = 2
        assert use_hub(station.folder, use) == 'EVIDENCE'
        losses = 5
        with pytest.raises(HubLostError):
            use_hub(station.folder, use)
    assert lost == 5
