# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Isolates all tests from other ROS systems and from the user's files."""

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
    from hypothesis import HealthCheck, settings

    # Slow machines need longer than hypothesis allows, for an example and for drawing it.
    settings.register_profile(
        'any machine', deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile('any machine')

# Tests import `support`, beside this file, and `benchmarks`, `fuzz` and `tools`, which are
# not installed.  The checkout comes last, so that the package itself is imported from where it is
# installed.  (pytest's setting `pythonpath` came with pytest 7; Ubuntu 22.04 has pytest 6.)
_TESTS = Path(__file__).parent
sys.path[:] = [str(_TESTS), *sys.path, str(_TESTS.parent)]

pytest_plugins = ('support.measurement', 'support.time_limit')

# A shell that runs pytest in the background, as build farms do, ignores SIGINT, and so would all
# processes that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

_REMOVED_VARIABLES = (
    # Would extend discovery beyond this machine, or change the transport of images.
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


# Files that take longest, first: with several workers, one that begins last is waited for by all.
_FIRST = (
    'demo/test_main.py',
    'page/browser/',
    'node/test_two_robots.py',
    'client/test_retrain_client.py',
    'node/health/test_device_failure_at_work.py',
    'store/test_kill.py',
    'test_setup_on_another_day.py',
    'benchmarks/soak/test_run.py',
    'node/test_node_kill.py',
    'store/samples/test_journal_states.py',
    'store/test_changed_files.py',
    'node/test_',
    'command_line/',
    'page/',
    'node/',
)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the order of :func:`pytest_collection_modifyitems` with pytest-xdist."""
    # pytest-xdist 3.7 and newer begins with the file that has most tests, which are quick ones.
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    path = str(item.fspath).removeprefix(f'{_TESTS}/')
    return next((at for at, start in enumerate(_FIRST) if path.startswith(start)), len(_FIRST))


@pytest.fixture(scope='session', autouse=True)
def isolated_ros(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Use a DDS domain and folders of this run, and keep discovery on this machine."""
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in _REMOVED_VARIABLES:
            patch.delenv(name, raising=False)
        if os.environ.get('ROS_DISTRO') == 'humble':
            # The discovery range came with Iron.
            patch.setenv('ROS_LOCALHOST_ONLY', '1')
        else:
            patch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        patch.setenv('ROS_LOG_DIR', str(tmp_path_factory.mktemp('ros_log')))
        patch.setenv('ROS_HOME', str(tmp_path_factory.mktemp('ros_home')))
        if 'PYTHONDONTWRITEBYTECODE' in os.environ:
            # Set by colcon.  Every process that a test starts would compile all modules again.
            patch.delenv('PYTHONDONTWRITEBYTECODE')
            patch.setenv('PYTHONPYCACHEPREFIX', str(tmp_path_factory.mktemp('bytecode')))
        if importlib.util.find_spec('rclpy') is not None:
            # Keeps tests that run at the same time on different DDS domains.
            from domain_coordinator import domain_id

            patch.setenv('ROS_DOMAIN_ID', str(stack.enter_context(domain_id())))
        yield


@pytest.fixture
def without_xnnpack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the runtime work without XNNPACK, as it does on processors that XNNPACK rejects."""
    from ai_edge_litert import interpreter

    operators = interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    plain = functools.partial(interpreter.Interpreter, experimental_op_resolver_type=operators)
    monkeypatch.setattr(interpreter, 'Interpreter', plain)


@pytest.fixture(scope='session')
def package_path() -> str:
    """Return the PYTHONPATH with which a child process imports the same modules as this one."""
    return os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many browser tests did not run, and why."""
    from support.chromium import DID_NOT_RUN

    reasons = [
        reason
        for report in terminalreporter.getreports('skipped')
        if isinstance(report.longrepr, tuple) and DID_NOT_RUN in (reason := report.longrepr[2])
    ]
    if reasons:
        terminalreporter.section('browser tests')
        cause = reasons[0].partition(f'{DID_NOT_RUN}: ')[2]
        terminalreporter.write_line(f'{len(reasons)} browser tests did not run. {cause}')
