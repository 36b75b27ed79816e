# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The SROS 2 policy: what it grants is what the real node uses, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
import contextlib
from pathlib import Path
import re
import sys
import threading
import time
from typing import Any
from xml.etree import ElementTree as ET

from edgetpu_retrain.client import RetrainClient, RetrainClientError
from edgetpu_retrain.fleet.ros_node import FleetNode
from edgetpu_retrain.fleet.ros_node import NODE_NAME as FLEET_NODE
import pytest
import rclpy
from rclpy.action import (
    get_action_client_names_and_types_by_node,
    get_action_server_names_and_types_by_node,
)
from rclpy.validate_full_topic_name import validate_full_topic_name
from rclpy.validate_namespace import validate_namespace
from rclpy.validate_node_name import validate_node_name
from sensor_msgs.msg import CompressedImage
from support.bags import BEGIN, image, write_bag
from support.gamepad import Pad, start_gamepad
from support.running_node import (
    box_message,
    compressed_message,
    image_message,
    PATIENCE_S,
    pattern,
    Person,
    RunningProgram,
)
from support.simulated_clock import SimulatedClock
from support.videos import write_video
from support.waiting import wait_until
from vision_msgs.msg import Detection2DArray

REPOSITORY = Path(__file__).parents[2]
POLICY = REPOSITORY / 'config' / 'sros2_policy.xml'
DOCUMENT = (REPOSITORY / 'docs' / 'security.md').read_text()

NODE = 'edgetpu_retrain'
PARTIES = ('teacher', 'observer', 'operator', 'camera')
CLIENTS = (*PARTIES, 'fleet', 'gamepad')
IMAGES, WEBCAM_IMAGES = '/camera/image_raw', '/webcam/image_raw'
# How the policy format calls a list, one of its entries, and the rights to them
# (https://design.ros2.org/articles/ros2_access_control_policies.html).
RIGHTS = {
    'topics': ('topic', {'publish', 'subscribe'}),
    'services': ('service', {'reply', 'request'}),
    'actions': ('action', {'execute', 'call'}),
}

Grants = dict[str, set[str]]


def policy() -> ET.Element:
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    return ET.parse(POLICY, parser).getroot()


def elements(parent: ET.Element) -> list[ET.Element]:
    """Return what is in an element, without comments."""
    children: list[Any] = list(parent)
    return [child for child in children if isinstance(child.tag, str)]


def profiles(enclave: str) -> list[ET.Element]:
    found = policy().findall(f'enclaves/enclave[@path="/{NODE}/{enclave}"]/profiles')
    assert len(found) == 1
    return elements(found[0])


def full_name(profile: ET.Element, name: str) -> str:
    namespace = profile.attrib['ns'].rstrip('/')
    if name.startswith('~/'):
        return f'{namespace}/{profile.attrib["node"]}{name[1:]}'
    return name if name.startswith('/') else f'{namespace}/{name}'


def granted(of: Iterable[ET.Element]) -> Grants:
    """Return the names of each right that profiles grant."""
    grants: Grants = {right: set() for _, rights in RIGHTS.values() for right in rights}
    for profile in of:
        for group in elements(profile):
            for right in group.attrib:
                names = {full_name(profile, str(each.text)) for each in elements(group)}
                assert not names & grants[right], 'granted twice'
                grants[right] |= names
    return grants


def used(graph: Any, node: str) -> Grants:
    """Return the names that a node has in the graph that another one sees."""

    def names(read: Callable[[str, str], list[tuple[str, list[str]]]]) -> set[str]:
        # The topics and services that an action consists of come with the right to the action.
        return {name for name, _ in read(node, '/') if '/_action/' not in name}

    return {
        'publish': names(graph.get_publisher_names_and_types_by_node),
        'subscribe': names(graph.get_subscriber_names_and_types_by_node),
        'reply': names(graph.get_service_names_and_types_by_node),
        'request': names(graph.get_client_names_and_types_by_node),
        'execute': {
            name for name, _ in get_action_server_names_and_types_by_node(graph, node, '/')
        },
        'call': {name for name, _ in get_action_client_names_and_types_by_node(graph, node, '/')},
    }


def assert_used(graph: Any, node: str, grants: Grants) -> None:
    """Hold a node to grants, once discovery has seen all of it."""
    # The names of nodes travel on a topic of their own, later than their endpoints.
    wait_until(lambda: node in graph.get_node_names())
    deadline, pause = time.monotonic() + PATIENCE_S / 3, threading.Event()
    while used(graph, node) != grants and time.monotonic() < deadline:
        pause.wait(0.05)
    assert used(graph, node) == grants


def used_by(graph: Any, node: str, services: set[str]) -> Grants:
    """Return the names that a node has, once discovery has seen its services."""
    wait_until(lambda: node in graph.get_node_names())
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: used(graph, node)['reply'] == services)
    return used(graph, node)


def quoted(language: str) -> str:
    """Return the only block of a language in the document."""
    (block,) = re.findall(rf'^```{language}\n(.*?)^```', DOCUMENT, re.MULTILINE | re.DOTALL)
    return str(block)


def granted_to_node(images: str, *more: ET.Element) -> Grants:
    """Return what the node may use if its camera is on one of the two topics."""
    grants = granted([*profiles('node'), *more])
    assert {IMAGES, WEBCAM_IMAGES} <= grants['subscribe']
    grants['subscribe'] -= {IMAGES, WEBCAM_IMAGES} - {images}
    return grants


@pytest.mark.parametrize('images', [IMAGES, WEBCAM_IMAGES])
def test_a_node_with_the_names_of_the_readme_uses_what_is_granted(
    images: str, start_node: Any, person: Person
) -> None:
    start_node(arguments=('-r', f'image:={images}')).wait_until_ready()
    assert_used(person.wait_until_ready().node, NODE, granted_to_node(images))


def test_a_node_that_uses_everything_uses_what_the_document_adds(
    start_node: Any, person: Person, tmp_path: Path
) -> None:
    parameters = tmp_path / 'robot.yaml'
    parameters.write_text(quoted('yaml'))
    node = start_node(arguments=('--params-file', str(parameters))).wait_until_ready()
    person.wait_until_ready()
    clock = SimulatedClock(person)
    grants = granted_to_node(IMAGES, ET.fromstring(quoted('xml')))
    assert_used(person.node, NODE, grants)

    # What only comes with work would not be granted.
    images = {name: image_message(pattern(seed)) for seed, name in enumerate(('cat', 'dog'))}
    front = person.camera('/camera/image_raw')
    clock.set_to(1000)
    person.teach(front, images)
    assert person.train(num_iter=20, learning_rate=0.1)[1].success
    drawn = person.collect(CompressedImage, 'camera/annotated/compressed')
    person.classifications.next_one()
    arm = person.camera('/arm/image_raw/compressed', CompressedImage)
    detector = person.detector('/arm/image_raw/compressed', '/arm/boxes', CompressedImage)
    detector.boxes = [box_message('a', 20, 20, 20, 20)]
    arm.show(compressed_message(bytes(drawn.next_one().data)))
    person.collect(Detection2DArray, 'arm/detections').next_one()
    assert person.train(num_iter=20, learning_rate=0.1)[1].success
    assert person.load_model(1).success
    assert_used(person.node, NODE, grants)
    assert person.change_state('deactivate')
    assert person.change_state('activate')
    assert_used(person.node, NODE, grants)
    clock.close()
    assert node.process.poll() is None


@pytest.mark.parametrize('party', PARTIES)
def test_a_node_of_a_party_has_what_every_node_has(party: str, person: Person) -> None:
    own = granted(each for each in profiles(party) if each.attrib['node'] == party)
    node = rclpy.create_node(party, context=person.context)
    try:
        if party == 'camera':
            node.create_publisher(CompressedImage, IMAGES, 1)
        assert_used(person.node, party, own)
    finally:
        node.destroy_node()
    if party != 'camera':
        # The command ros2 makes nodes under names of its own, which are hidden.
        (command_line,) = (each for each in profiles(party) if each.attrib['node'] == '_ros2cli_*')
        assert granted([command_line])['reply'] == {
            name.replace(f'/{party}/', '/_ros2cli_*/') for name in own['reply']
        }


def test_the_teaching_page_has_what_its_nodes_need(person: Person) -> None:
    page = rclpy.create_node(
        'edgetpu_retrain_page', context=person.context, start_parameter_services=False
    )
    try:
        for topic in (IMAGES, WEBCAM_IMAGES):
            page.create_subscription(CompressedImage, topic, print, 1)
        with RetrainClient(page) as client:
            granted_to_all = granted(profiles('teacher'))
            for name in (page.get_name(), f'{page.get_name()}_client'):
                own = granted(each for each in profiles('teacher') if each.attrib['node'] == name)
                has = used_by(person.node, name, own['reply'])
                assert has['reply'] == own['reply']
                assert not own['publish'] | own['request'] | own['call']
                for right, names in has.items():
                    assert names <= granted_to_all[right]
            assert client.name == f'/{NODE}'
    finally:
        page.destroy_node()


def test_who_publishes_for_a_camera_uses_what_its_enclave_may(
    person: Person, tmp_path: Path, package_path: str
) -> None:
    video = write_video(tmp_path / 'video.avi', (50, 100))
    webcam = ('--ros-args', '-p', f'source:={video}', '-p', f'image_topic:={WEBCAM_IMAGES}')
    recorded = {IMAGES: [image(pattern(1), BEGIN)]}
    bag = write_bag(tmp_path / 'bag', 'mcap', recorded)
    for name, topic, arguments in (
        ('webcam', WEBCAM_IMAGES, webcam),
        ('replay', IMAGES, (str(bag), '--listeners', '1')),
    ):
        grants = granted(each for each in profiles('camera') if each.attrib['node'] == name)
        grants['publish'] = {topic, '/parameter_events', '/rosout'}
        assert grants['publish'] <= granted(profiles('camera'))['publish']
        command = [sys.executable, '-m', f'edgetpu_retrain.{name}.main', *arguments]
        with RunningProgram(command, {'PYTHONPATH': package_path}):
            assert_used(person.node, name, grants)


def test_the_fleet_process_has_what_its_nodes_need(person: Person) -> None:
    fleet = FleetNode(['--ros-args', '-p', 'fleet:=nats://base', '-p', 'credentials:=ada.json'])
    try:
        granted_to_all = granted(profiles('fleet'))
        requests = granted(each for each in profiles('fleet') if each.attrib['node'] == NODE)
        assert requests['request'] <= granted(profiles('node'))['reply']
        for name in (FLEET_NODE, f'{FLEET_NODE}_client'):
            own = granted(each for each in profiles('fleet') if each.attrib['node'] == name)
            has = used_by(person.node, name, own['reply'])
            assert has['reply'] == own['reply']
            for right, names in has.items():
                assert names <= granted_to_all[right]
        asked = asyncio.new_event_loop()
        with pytest.raises(RetrainClientError, match=r'/edgetpu_retrain does not respond'):
            asked.run_until_complete(fleet.ask())
        asked.close()
        assert used(person.node, f'{FLEET_NODE}_client')['request'] <= requests['request']
    finally:
        fleet.close()


def test_the_gamepad_uses_what_is_granted(
    start_node: Any, person: Person, package_path: str
) -> None:
    start_node().wait_until_ready()
    grants = granted(profiles('gamepad'))

    names = ('gamepad', 'gamepad_client')

    def uses_all() -> bool:
        # What a button needs is created when it is pressed first: a class, training, undoing.  A
        # busy program does not hear each time that a button is pressed.
        for button in (0, 7, 6):
            pad.hold(button)
        has = [used(person.node, name) for name in names]
        return {right: has[0][right] | has[1][right] for right in grants} == grants

    with start_gamepad(package_path, 'labels:=cat') as program, Pad(person) as pad:
        wait_until(lambda: {*names} <= {*person.node.get_node_names()})
        wait_until(uses_all)
        assert program.end() == 0


@pytest.mark.parametrize('party', CLIENTS)
def test_nobody_is_granted_what_the_node_does_not_offer(party: str) -> None:
    node = granted(profiles('node'))
    towards = granted(each for each in profiles(party) if each.attrib['node'] == NODE)
    assert towards['request'] <= node['reply']
    assert towards['call'] <= node['execute']
    assert towards['subscribe'] <= node['publish']
    assert not towards['publish'] | towards['reply'] | towards['execute']


def test_only_the_camera_publishes_what_the_node_reads() -> None:
    read = granted(profiles('node'))['subscribe']
    publishers = {party for party in CLIENTS if granted(profiles(party))['publish'] & read}
    assert publishers == {'camera'}
    assert read <= granted(profiles('camera'))['publish']


def test_the_table_of_the_document_is_what_is_granted() -> None:
    part = DOCUMENT.split('## Who may do what')[1].split('###')[0]
    head, _, *rows = re.findall(r'^\| .*\|$', part, re.MULTILINE)
    columns = [cell.strip(' `') for cell in head.strip('|').split('|')[1:]]
    assert columns == ['node', 'teacher', 'observer', 'operator']
    told: dict[str, Grants] = {column: {} for column in columns}
    for row in rows:
        names, *cells = row.strip('|').split('|')
        for column, cell in zip(columns, cells, strict=True):
            word = cell.strip()
            assert word in ({'serves'} if column == 'node' else {'may', '-'})
            for name in re.findall(r'`~(/\w+)`', names) if word != '-' else ():
                told[column].setdefault(word, set()).add(f'/{NODE}{name}')
    node = granted(profiles('node'))
    assert told['node']['serves'] == node['reply'] | node['execute']
    for party in columns[1:]:
        grants = granted(each for each in profiles(party) if each.attrib['node'] == NODE)
        assert told[party]['may'] == grants['request'] | grants['call']


def test_its_structure_is_that_of_the_format() -> None:
    root = policy()
    assert (root.tag, root.attrib) == ('policy', {'version': '0.2.0'})
    (enclaves,) = root
    assert (enclaves.tag, enclaves.attrib) == ('enclaves', {})
    # ros2 security takes a comment here for an enclave.
    assert {each.tag for each in enclaves} == {'enclave'}
    paths = [enclave.attrib['path'] for enclave in enclaves]
    assert paths == [f'/{NODE}/{name}' for name in ('node', 'camera', *PARTIES[:3], *CLIENTS[4:])]
    for enclave in enclaves:
        assert validate_namespace(enclave.attrib.pop('path'))
        (inner,) = elements(enclave)
        assert (inner.tag, enclave.attrib, inner.attrib) == ('profiles', {}, {})
        assert elements(inner)
        for profile in elements(inner):
            assert_profile(profile)


def test_the_profile_of_the_document_is_one() -> None:
    assert_profile(ET.fromstring(quoted('xml')))


def assert_profile(profile: ET.Element) -> None:
    assert profile.tag == 'profile'
    assert set(profile.attrib) == {'ns', 'node'}
    assert validate_namespace(profile.attrib['ns'])
    # A star stands for any characters.
    assert validate_node_name(profile.attrib['node'].replace('*', 'x'))
    assert elements(profile)
    for group in elements(profile):
        entry, rights = RIGHTS[group.tag]
        assert group.attrib
        assert set(group.attrib) <= rights
        assert set(group.attrib.values()) == {'ALLOW'}
        names = [each.text or '' for each in elements(group)]
        assert {(each.tag, *each.attrib) for each in elements(group)} == {(entry,)}
        assert len(set(names)) == len(names)
        for name in names:
            assert '*' not in name
            full = full_name(profile, name).replace('*', 'x')
            assert validate_full_topic_name(full, is_service=group.tag != 'topics')
