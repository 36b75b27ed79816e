# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What every test finds: a ROS that reaches nobody else, and folders that are nobody's."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import functools
import importlib.util
import os
from pathlib import Path
import signal
import sys

import pytest

with contextlib.suppress(ImportError):
    from hypothesis import settings

    # How long an example takes is the machine's affair.
    settings.register_profile('any machine', deadline=None)
    settings.load_profile('any machine')

# Modules that tests share, such as small_models, lie beside this file.
sys.path.insert(0, str(Path(__file__).parent))

# A shell that starts this in the background, as build farms do, has SIGINT ignored, by all that
# tests start as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

_OF_A_LAB = (
    # Would lead discovery beyond this machine, or change how images travel.
    'CYCLONEDDS_URI',
    'FASTDDS_BUILTIN_TRANSPORTS',
    'FASTDDS_DEFAULT_PROFILES_FILE',
    'FASTRTPS_DEFAULT_PROFILES_FILE',
    'ROS_DISCOVERY_SERVER',
    'ROS_LOCALHOST_ONLY',
    'ROS_NAMESPACE',
    'ROS_STATIC_PEERS',
    'ROS_SUPER_CLIENT',
)


@pytest.fixture(scope='session', autouse=True)
def ros_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give this run a DDS domain and folders of its own, and keep it on this machine."""
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in _OF_A_LAB:
            patch.delenv(name, raising=False)
        if os.environ.get('ROS_DISTRO') == 'humble':
            # Older than the discovery range, which came with Iron.
            patch.setenv('ROS_LOCALHOST_ONLY', '1')
        else:
            patch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        patch.setenv('ROS_LOG_DIR', str(tmp_path_factory.mktemp('ros_log')))
        patch.setenv('ROS_HOME', str(tmp_path_factory.mktemp('ros_home')))
        if 'PYTHONDONTWRITEBYTECODE' in os.environ:
            # As colcon has it: every process that a test starts would compile all anew.
            patch.delenv('PYTHONDONTWRITEBYTECODE')
            patch.setenv('PYTHONPYCACHEPREFIX', str(tmp_path_factory.mktemp('bytecode')))
        if importlib.util.find_spec('rclpy') is not None:
            # A test dependency of the package: without it, tests of two workspaces would talk
            # to each other.
            from domain_coordinator import domain_id

            patch.setenv('ROS_DOMAIN_ID', str(stack.enter_context(domain_id())))
        yield


@pytest.fixture
def without_xnnpack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave what a runtime falls back on where XNNPACK does not know the processor."""
    from ai_edge_litert import interpreter

    operators = interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    plain = functools.partial(interpreter.Interpreter, experimental_op_resolver_type=operators)
    monkeypatch.setattr(interpreter, 'Interpreter', plain)


@pytest.fixture(scope='session')
def package_path() -> str:
    """Return the PYTHONPATH with which a child process imports what this one does."""
    return os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry)
