# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples are taken as long as a button is held, and no longer."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

from edgetpu_retrain.client import RetrainClientError
from edgetpu_retrain.page.live.holds import Holds, MAX_HOLDS
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.page.robot import Robot
from edgetpu_retrain_interfaces.srv import AddSample
import pytest
from support.page_program import PageProgram, Phone, run
from support.running_node import Person

pytestmark = pytest.mark.usefixtures('measured_processes', 'person')


def test_a_hold_stores_frames_in_one_recording_until_it_is_released(
    page: PageProgram, person: Person
) -> None:
    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            await phone.connected()
            ended = await phone.hold(5, 'cup', 'camera')
            assert ended['reason'] == 'released'
            assert ended['stored'] >= 5
            numbers = [
                (each['hold'], each['stored']) for each in phone.heard if each['type'] == 'hold'
            ]
            assert numbers == sorted(numbers)
            # The node's status, which reports the change, may come after the end of the hold.
            if 'samples' not in {each['type'] for each in phone.heard}:
                await phone.hear('samples')
            second = await phone.hold(1, 'cup')
            samples = person.list_samples(label='cup', limit=100).samples
            assert len(samples) == second['label_total']
            counts = [each['stored'] for each in phone.ended_holds() if each['stored']]
            assert len(samples) == sum(counts)
            assert len({each.recording for each in samples}) == len(counts) >= 2

    run(scenario())


def test_a_phone_that_was_silent_for_too_long_holds_again(page: PageProgram) -> None:
    class LatePhone(Phone):
        async def _confirm(self, number: int) -> None:
            if number > 1:
                await super()._confirm(number)

    async def scenario() -> None:
        async with LatePhone(page.url()) as phone:
            await phone.connected()
            # The camera sends 25 images a second, so that the first hold cannot store as many.
            ended = await phone.hold(40, 'late')
            assert ended['reason'] == 'released'
            assert phone.ended_holds()[0]['reason'] == 'silent'

    run(scenario())


def test_two_phones_hold_at_once(page: PageProgram) -> None:
    async def scenario() -> None:
        async with Phone(page.url()) as one, Phone(page.url()) as two:
            await asyncio.gather(one.connected(), two.connected())
            left, right = await asyncio.gather(one.hold(4, 'left'), two.hold(4, 'right'))
            assert left['reason'] == right['reason'] == 'released'
            assert left['label'] == 'left'
            assert right['label'] == 'right'

    run(scenario())


def test_a_hold_that_its_page_does_not_confirm_ends(page: PageProgram) -> None:
    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            await phone.connected()
            await phone.say(type='hold', hold=7, label='silent', camera='')
            ended = await phone.hear('hold', lambda each: each.get('ended'))
            assert (ended['hold'], ended['reason']) == (7, 'silent')
            # Its number is free again, and what comes late is ignored.
            await phone.say(type='hold_on', hold=7)
            await phone.say(type='release', hold=7)
            assert (await phone.hold(1, 'silent', number=7))['reason'] == 'released'

    run(scenario())


def test_a_phone_that_vanishes_stores_nothing_more(page: PageProgram, person: Person) -> None:
    def stored() -> int:
        listed = person.list_samples()
        return int(dict(zip(listed.labels, listed.counts, strict=True)).get('gone', 0))

    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            await phone.connected()
            await phone.say(type='hold', hold=1, label='gone', camera='')
            await phone.hear('hold')
            phone.vanish()
            async with Phone(page.url()) as other:
                await other.connected()
                # Each hold of another phone takes longer than a request for a frame.
                await other.hold(3, 'other')
                before = stored()
                await other.hold(10, 'other')
                # A request for a frame may still have been on its way.
                assert stored() <= before + 1

    run(scenario())


def test_what_the_node_rejects_ends_the_hold_with_its_reason(page: PageProgram) -> None:
    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            await phone.connected()
            wrong = {
                'a/b': 'camera',
                '<script>alert(1)</script>': 'camera',
                'cup': 'no_such_camera',
                'unknown': '',
                '': '',
            }
            for number, (label, camera) in enumerate(wrong.items()):
                await phone.say(type='hold', hold=number, label=label, camera=camera)
                ended = await phone.hear('hold', lambda each: each.get('ended'))
                assert (ended['hold'], ended['reason']) == (number, 'failed')
                assert ended['label'] == label
                assert ended['message'].endswith('.')
                assert ended['stored'] == 0

    run(scenario())


@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        ({'label': 'cup'}, 'hold must be'),
        ({'label': 'cup', 'hold': 'one'}, 'hold must be'),
        ({'label': 'cup', 'hold': 1e300}, 'hold must be'),
        ({'label': 'cup', 'hold': True}, 'hold must be'),
        ({'label': ['cup'], 'hold': 1}, 'label must be'),
        ({'label': '\ud800', 'hold': 1}, 'label must be'),
        ({'hold': 1}, 'label must be'),
        ({'label': 'cup', 'camera': 5, 'hold': 1}, 'camera must be'),
    ],
)
def test_a_wrong_message_is_refused(
    page: PageProgram, fields: dict[str, object], words: str
) -> None:
    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            await phone.say(type='hold', **fields)
            await phone.hear_words(words)

    run(scenario())


def test_a_rejection_ends_the_hold_however_slow_the_node_is() -> None:
    async def rejected(*_: Any, **_fields: Any) -> None:
        await asyncio.sleep(0.5)
        raise RetrainClientError('the label is wrong', AddSample.Response())

    async def scenario() -> None:
        ended = asyncio.get_running_loop().create_future()
        holds = Holds(Mock(spec=Robot, call=rejected), ended.set_result)
        holds.begin({'hold': 1, 'label': 'cup'})
        message = await ended
        assert (message.get('reason'), message['message']) == ('failed', 'the label is wrong.')

    run(scenario())


def test_the_buttons_that_a_page_holds_are_bounded() -> None:
    async def silent(*_: Any, **_fields: Any) -> None:
        await asyncio.Event().wait()

    async def scenario() -> None:
        holds = Holds(Mock(spec=Robot, call=silent), print)
        for number in range(MAX_HOLDS):
            holds.begin({'hold': number, 'label': 'many'})
        with pytest.raises(RefusedError, match='held already'):
            holds.begin({'hold': MAX_HOLDS, 'label': 'many'})
        with pytest.raises(RefusedError, match='has begun'):
            holds.begin({'hold': 0, 'label': 'many'})
        await holds.close()

    run(scenario())
