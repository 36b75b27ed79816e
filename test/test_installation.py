# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The dependencies that the package declares, and the files that it installs."""

from __future__ import annotations

import ast
from importlib.metadata import entry_points
import os
from pathlib import Path
import re
import sys
from xml.etree import ElementTree as ET

import pytest
from support.programs import NAME, PROGRAMS

ROOT = Path(__file__).parents[1]

# `make test` keeps the source off the path; with `colcon test` pytest imports it from there.
needs_installation = pytest.mark.skipif(
    'PYTHONSAFEPATH' not in os.environ,
    reason='tests the installed package, which `colcon test` does not import',
)


def manifest() -> ET.Element:
    return ET.parse(ROOT / 'package.xml').getroot()


def test_every_import_is_declared() -> None:
    """The manifest has the keys of rosdep, and requirements/runtime.txt everything else."""
    keys = {
        'aiohttp': 'python3-aiohttp',
        'click': 'python3-click',
        'cryptography': 'python3-cryptography',
        'nacl': 'pynacl',
        'nats': 'nats_py',
        'cv2': 'python3-opencv',
        'jinja2': 'python3-jinja2',
        'matplotlib': 'python3-matplotlib',
        'numpy': 'python3-numpy',
        'qrcode': 'python3-qrcode',
        'rich': 'python3-rich',
        'yaml': 'python3-yaml',
    }
    # Optional by design.
    optional = {'PIL', 'domain_coordinator', 'pycoral', 'tflite_runtime'}
    declared = {element.text for element in manifest() if element.tag.endswith('depend')}
    runtime = (ROOT / 'requirements' / 'runtime.txt').read_text(encoding='utf-8')
    declared |= set(re.findall(r'^[a-z_]+', runtime.replace('-', '_'), re.MULTILINE))
    undeclared = set()
    for source in (ROOT / NAME).rglob('*.py'):
        for node in ast.walk(ast.parse(source.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or '']
            else:
                continue
            for module in (m.split('.')[0] for m in modules):
                known = module in sys.stdlib_module_names or module in optional | {NAME}
                if not known and keys.get(module, module) not in declared:
                    undeclared.add(f'{module} ({source.relative_to(ROOT)})')
    assert undeclared == set()


def test_every_folder_of_the_package_is_installed() -> None:
    folders = {source.parent for source in (ROOT / NAME).rglob('*.py')}
    assert [folder for folder in folders if not (folder / '__init__.py').exists()] == []


@needs_installation
@pytest.mark.parametrize('program', PROGRAMS)
def test_console_scripts_can_be_loaded(program: str) -> None:
    (script,) = entry_points(group='console_scripts', name=program)
    assert callable(script.load())


def installed_prefix() -> Path:
    from ament_index_python.packages import get_package_prefix

    return Path(get_package_prefix(NAME))


@needs_installation
@pytest.mark.parametrize('program', PROGRAMS)
def test_installed_scripts_use_the_python_of_the_active_environment(program: str) -> None:
    script = installed_prefix() / 'lib' / NAME / program
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding='utf-8').splitlines()[0] == '#!/usr/bin/env python3'


@needs_installation
@pytest.mark.parametrize(
    'file',
    [
        'package.xml',
        'config/fastdds_large_images.xml',
        'config/retrain.yaml',
        'launch/retrain.launch.py',
        'requirements/locked/apt.txt',
        'requirements/locked/build.txt',
    ],
)
def test_shared_files_are_installed(file: str) -> None:
    installed = installed_prefix() / 'share' / NAME / file
    assert installed.read_bytes() == (ROOT / file).read_bytes()


@needs_installation
def test_data_files_are_installed() -> None:
    import edgetpu_retrain

    data = [path for path in (ROOT / NAME).rglob('*') if path.suffix in {'.tflite', '.jpg', '.md'}]
    assert any(path.suffix == '.tflite' for path in data)
    installed = Path(edgetpu_retrain.__file__).parent
    for path in data:
        assert (installed / path.relative_to(ROOT / NAME)).read_bytes() == path.read_bytes()


@needs_installation
def test_tests_import_the_installed_package() -> None:
    """`make test` tests the installed package and not the source beside the tests."""
    import edgetpu_retrain

    assert installed_prefix() in Path(edgetpu_retrain.__file__).parents
