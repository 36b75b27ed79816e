# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks what the documents promise about all modules: no pickle, shell, eval or network."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / 'edgetpu_retrain'
INSTALLED = (*PACKAGE.rglob('*.py'), *(REPOSITORY / 'launch').glob('*.py'))
OTHERS = tuple(
    path for folder in ('tools', 'benchmarks') for path in (REPOSITORY / folder).rglob('*.py')
)

UNPICKLING = {'pickle', '_pickle', 'cPickle', 'dill', 'cloudpickle', 'joblib', 'marshal', 'shelve'}
NETWORK = {
    *('aiohttp', 'asyncio', 'ftplib', 'http', 'httpx', 'nats', 'poplib', 'requests', 'smtplib'),
    *('socket', 'socketserver', 'ssl', 'telnetlib', 'urllib', 'urllib3', 'xmlrpc'),
}
STATION = PACKAGE / 'fleet' / 'station'
# This one relays between programs of this machine.
DEMO_LINK = PACKAGE / 'fleet_demo' / 'link.py'
# The others look for a free port or an address of this machine, and send nothing.
PROCESSES = PACKAGE / 'processes'
MAY_USE_SOCKETS = {
    *(PROCESSES / name for name in ('free_port.py', 'isolation.py', 'network_address.py')),
    STATION / 'addresses.py',
    DEMO_LINK,
}
# Serves browsers, and connects to nothing.
SERVER = PACKAGE / 'page'
SERVER_MODULES = {'aiohttp', 'asyncio', 'socket', 'ssl'}
# Connects to the hub that the operator names, and to nothing else.
FLEET = PACKAGE / 'fleet'
FLEET_COMMANDS = PACKAGE / 'command_line' / 'fleet'
FLEET_DEMO = PACKAGE / 'fleet_demo'
HUB_CONNECTION = {FLEET / 'hub' / 'client.py', FLEET / 'hub' / 'connection.py'}
# Its child processes are those of the page and of the fleet.
WORK_PROCESS = PACKAGE / 'work_process' / 'parent.py'
CONNECTS = {'ClientSession', 'create_connection', 'open_connection', 'request'}
# The recipe for the default extractor: an unpickler with an allow-list of four names.
MAY_UNPICKLE = {REPOSITORY / 'tools' / 'torch_checkpoint.py'}
STARTS_PROCESSES = {
    PACKAGE / 'runtime' / 'interpreters' / 'probe.py',
    PACKAGE / 'processes' / 'child_process.py',
    STATION / 'nats_server.py',
}
EVALUATE = {'eval', 'exec', 'compile', '__import__', 'breakpoint'}
ARRAY_READERS = {'np.load', 'np.lib.format.read_array', '_npy.read_array'}
SHELLS = {'os.system', 'os.popen', 'subprocess.getoutput', 'subprocess.getstatusoutput'}


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(), str(path))))


def imported(path: Path) -> set[str]:
    """Return the first parts of the names that a file imports."""
    names: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or '')
    return {name.partition('.')[0] for name in names}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls in a file, each with the called name as written."""
    for node in nodes(path):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def keyword(call: ast.Call, name: str) -> object:
    """Return a constant argument of a call, or None."""
    for each in call.keywords:
        if each.arg == name and isinstance(each.value, ast.Constant):
            return each.value.value
    return None


def by_name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


# BaseLoader makes only texts, lists and maps.
SAFE_YAML = {
    'yaml.safe_dump',
    'yaml.safe_load',
    'yaml.BaseLoader',
    'yaml.BaseLoader(text).get_single_data',
}


def test_no_file_content_is_executed() -> None:
    for path in (*INSTALLED, *OTHERS):
        if path not in MAY_UNPICKLE:
            assert not imported(path) & UNPICKLING, path
        for name, call in calls(path):
            where = f'{path}, line {call.lineno}'
            assert name not in EVALUATE | SHELLS, where
            assert not keyword(call, 'shell'), where
            assert not name.startswith(('os.exec', 'os.spawn')), where
            if name in ARRAY_READERS:
                assert keyword(call, 'allow_pickle') is False, where
            if name.startswith('yaml.'):
                assert name in SAFE_YAML, where


def test_nothing_is_downloaded_at_run_time() -> None:
    for path in INSTALLED:
        allowed = {'socket'} if path in MAY_USE_SOCKETS else set()
        if path == WORK_PROCESS:
            allowed = {'asyncio'}
        if SERVER in path.parents:
            allowed = SERVER_MODULES
            assert not {name.rpartition('.')[2] for name, _ in calls(path)} & CONNECTS, path
        elif {FLEET, FLEET_COMMANDS, FLEET_DEMO} & set(path.parents):
            allowed |= {'asyncio', 'nats', 'ssl'} if path in HUB_CONNECTION else {'asyncio'}
        assert not imported(path) & (NETWORK - allowed), path


def test_processes_are_started_in_three_places_only() -> None:
    assert {path for path in INSTALLED if 'subprocess' in imported(path)} == STARTS_PROCESSES


def test_asserts_only_narrow_types() -> None:
    for path in INSTALLED:
        for node in nodes(path):
            if isinstance(node, ast.Assert):
                test = ast.unparse(node.test)
                assert test.endswith(' is not None') or test.startswith('isinstance('), path


def test_too_little_memory_is_never_taken_for_another_fault() -> None:
    """A handler of all exceptions that raises its own one must not hide a MemoryError."""
    checked = 0
    for path in INSTALLED:
        for node in nodes(path):
            handlers = node.handlers if isinstance(node, ast.Try) else []
            for handler in handlers:
                if _converts_all(handler):
                    checked += 1
                    words = ' '.join(map(ast.unparse, handlers))
                    where = f'{path}, line {handler.lineno}'
                    assert 'MemoryError' in words or 'check_memory(' in words, where
    assert checked >= 8


def _converts_all(handler: ast.ExceptHandler) -> bool:
    raises = any(isinstance(each, ast.Raise) and each.exc for each in ast.walk(handler))
    return raises and handler.type is not None and ast.unparse(handler.type) == 'Exception'


def test_the_whole_package_is_checked() -> None:
    assert len(INSTALLED) > 150
    assert {*INSTALLED, *OTHERS} >= STARTS_PROCESSES | MAY_USE_SOCKETS | MAY_UNPICKLE
