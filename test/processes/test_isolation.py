# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
import socket
import subprocess
import sys
from types import SimpleNamespace

import edgetpu_retrain
from edgetpu_retrain.processes import isolation
from edgetpu_retrain.processes.isolation import (
    private_domain_id,
    private_environment,
    with_large_images,
)
import pytest

LAB = {
    'ROS_DOMAIN_ID': '42',
    'ROS_HOME': '/home/user/.ros',
    'ROS_LOG_DIR': '/home/user/.ros/log',
    'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET',
    'ROS_STATIC_PEERS': 'robot.local',
    'ROS_DISCOVERY_SERVER': 'robot.local:11811',
    'ROS_LOCALHOST_ONLY': '0',
    'RMW_IMPLEMENTATION': 'rmw_zenoh_cpp',
    'FASTRTPS_DEFAULT_PROFILES_FILE': '/home/user/robot.xml',
    'CYCLONEDDS_URI': 'file:///home/user/robot.xml',
    'ROS_DISTRO': 'jazzy',
    'PATH': '/usr/bin',
}


def test_the_environment_drops_the_labs_setup(tmp_path: Path) -> None:
    environment = private_environment(7, tmp_path, LAB)
    assert environment['ROS_DOMAIN_ID'] == '7'
    assert environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert environment['ROS_HOME'].startswith(str(tmp_path))
    assert environment['ROS_LOG_DIR'].startswith(str(tmp_path))
    text = '\n'.join(environment.values())
    assert 'robot' not in text
    assert '/home/user' not in text
    assert 'RMW_IMPLEMENTATION' not in environment


def test_the_rest_of_the_environment_stays(tmp_path: Path) -> None:
    environment = private_environment(7, tmp_path, LAB)
    assert environment['PATH'] == '/usr/bin'
    assert environment['ROS_DISTRO'] == 'jazzy'


def test_humble_which_knows_no_discovery_range_is_kept_on_this_machine(tmp_path: Path) -> None:
    environment = private_environment(7, tmp_path, {**LAB, 'ROS_DISTRO': 'humble'})
    assert environment['ROS_LOCALHOST_ONLY'] == '1'


@pytest.mark.skipif(sys.version_info < (3, 11), reason='Python 3.10 knows no PYTHONSAFEPATH')
def test_a_python_in_it_imports_the_package_in_use_not_one_in_the_current_folder(
    tmp_path: Path,
) -> None:
    impostor = tmp_path / 'edgetpu_retrain'
    impostor.mkdir()
    (impostor / '__init__.py').write_text('raise SystemExit("the wrong one")')
    (impostor / 'errors.py').write_text('')
    script = 'import edgetpu_retrain; print(edgetpu_retrain.__file__)'
    done = subprocess.run(
        [sys.executable, '-c', script],
        cwd=tmp_path,
        env=private_environment(7, tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == Path(edgetpu_retrain.__file__)


def test_a_profile_for_large_images_is_set_under_both_of_its_names(tmp_path: Path) -> None:
    profile = tmp_path / 'profile.xml'
    environment = with_large_images({'A': 'b'}, profile)
    assert environment == {
        'A': 'b',
        'FASTDDS_DEFAULT_PROFILES_FILE': str(profile),
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(profile),
    }


def test_two_reserved_domains_differ() -> None:
    with private_domain_id() as one, private_domain_id() as other:
        assert one != other
        assert 1 <= one <= 232
        assert 1 <= other <= 232


@pytest.fixture
def no_domain_coordinator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'domain_coordinator', None)


@pytest.mark.usefixtures('no_domain_coordinator')
def test_without_the_coordinator_a_domain_in_use_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        participant.bind(('', 0))
        port = participant.getsockname()[1]

        # Other programs may use the ports of some of them.
        candidates = SimpleNamespace(sample=lambda _population, _count: range(10))
        monkeypatch.setattr('random.SystemRandom', lambda: candidates)
        # Makes the port in use that of domain 0 (whose real one a lab may be using).
        monkeypatch.setattr(isolation, '_FIRST_PORT', port)
        with private_domain_id() as domain:
            assert domain in range(1, 10)
