# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Cameras on the page, with a real node and real cameras."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
import json
from pathlib import Path
import struct
from typing import Any

import aiohttp
import pytest
from sensor_msgs.msg import CompressedImage
from support.page_program import PageProgram, Phone, run
from support.robot_messages import image_message, jpeg_message, pattern
from support.running_node import Person, RunningNode
from support.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures('measured_processes')

PICTURES = {'cat': image_message(pattern(1)), 'dog': image_message(pattern(2))}


@pytest.fixture(scope='module')
def node(
    package_path: str, page_extractor: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningNode]:
    """Return a node with a raw camera, whose topic is remapped, and a compressed one."""
    parameters = {
        'extractor': page_extractor,
        'data_dir': tmp_path_factory.mktemp('robot') / 'data',
        'min_novelty': -1.0,
        'cameras': '[front, arm]',
        'front.image_topic': 'front_image',
        'arm.image_topic': '/arm/image',
        'arm.image_transport': 'compressed',
    }
    with RunningNode(package_path, parameters, ['-r', 'front_image:=/front/raw']) as running:
        yield running


@pytest.fixture(scope='module')
def person(node: RunningNode) -> Iterator[Person]:
    """Return the person at the robot, who has both cameras; the node knows two classes."""
    node.wait_until_ready()
    with Person() as present:
        front = present.camera('/front/raw')
        for label, picture in PICTURES.items():
            present.show(front, picture)
            assert present.add(label, camera='front', count=5).success
        present.camera('/arm/image/compressed', CompressedImage).show(jpeg_message(pattern(1)))
        assert present.train(num_iter=300, learning_rate=0.1)[1].success
        yield present


class Watcher:
    """A page that watches a camera."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def picture(self, width: float = 640) -> tuple[dict[str, Any], bytes]:
        """Return header and JPEG file of the next picture."""
        await self.socket.send_json({'type': 'next', 'width': width})
        message = await asyncio.wait_for(self.socket.receive(), PATIENCE_S)
        assert message.type is aiohttp.WSMsgType.BINARY, message
        (length,) = struct.unpack('>I', message.data[:4])
        head, jpeg = message.data[4:][:length], message.data[4:][length:]
        return json.loads(head), jpeg


async def watch(phone: Phone, camera: str) -> Watcher:
    return Watcher(await phone.session.ws_connect(f'{phone.url}/video?camera={camera}'))


@pytest.mark.parametrize('camera', ['front', 'arm'])
def test_pictures_come_with_their_classification(
    page: PageProgram, person: Person, camera: str
) -> None:
    assert person.state == 'active'

    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            await phone.connected()
            watcher = await watch(phone, camera)
            stamps = []
            while True:
                header, jpeg = await watcher.picture()
                assert jpeg.startswith(b'\xff\xd8')
                assert (header['camera'], header['width']) == (camera, 64)
                stamps.append(header['stamp'])
                if header['result'] is not None and header['hz'] > 0 and len(stamps) > 5:
                    break
            assert stamps == sorted(set(stamps))
            assert set(header['result']['labels']) >= {'cat', 'dog'}
            assert len(header['result']['scores']) == len(header['result']['labels'])
            assert header['result']['model_version'] == 1
            await watcher.socket.close()

    run(scenario())


def test_a_camera_is_subscribed_to_only_while_somebody_watches(
    page: PageProgram, person: Person
) -> None:
    def subscribers() -> int:
        infos = person.node.get_subscriptions_info_by_topic('/front/raw')
        return sum(info.node_name == 'edgetpu_retrain_page' for info in infos)

    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            await phone.connected()
            watchers = [await watch(phone, 'front') for _ in range(3)]
            for watcher in watchers:
                await watcher.picture()
            await asyncio.to_thread(wait_until, lambda: subscribers() == 1)
            for watcher in watchers:
                await watcher.socket.close()
            await asyncio.to_thread(wait_until, lambda: subscribers() == 0)

    # The server unsubscribes after the last page of an earlier test has gone.
    wait_until(lambda: subscribers() == 0)
    run(scenario())


def test_nothing_is_sent_that_was_not_asked_for(page: PageProgram, person: Person) -> None:
    assert person.state == 'active'

    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            await phone.connected()
            watcher = await watch(phone, 'front')
            first, _ = await watcher.picture()
            # Others see many pictures meanwhile.
            other = await watch(phone, 'front')
            for _ in range(5):
                await other.picture()
            later, _ = await watcher.picture()
            assert later['stamp'] > first['stamp']
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(watcher.socket.receive(), 0.3)

    run(scenario())


@pytest.mark.parametrize('camera', ['', 'no_such_camera', '%3Cscript%3E', 'front/../arm'])
def test_a_camera_that_the_node_does_not_have_is_refused(
    page: PageProgram, person: Person, camera: str
) -> None:
    assert person.state == 'active'

    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            await phone.connected()
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await watch(phone, camera)
            assert refused.value.status == 404

    run(scenario())


@pytest.mark.parametrize(
    'text', ['{', '{}', '{"type": "next"}', '{"type": "next", "width": "a"}', '{"type": "hold"}']
)
def test_a_wrong_message_closes_the_socket(page: PageProgram, person: Person, text: str) -> None:
    assert person.state == 'active'

    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            await phone.connected()
            watcher = await watch(phone, 'front')
            await watcher.socket.send_str(text)
            message = await asyncio.wait_for(watcher.socket.receive(), PATIENCE_S)
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert watcher.socket.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION

    run(scenario())
