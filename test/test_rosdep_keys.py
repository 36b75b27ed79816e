# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The dependencies in the manifests, which bloom must be able to resolve."""

from __future__ import annotations

from pathlib import Path
import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ('edgetpu_retrain', 'edgetpu_retrain_interfaces')
MANIFESTS = {
    PACKAGES[0]: ROOT / 'package.xml',
    PACKAGES[1]: ROOT / PACKAGES[1] / 'package.xml',
}


def known_names() -> set[str]:
    lines = (ROOT / 'test' / 'rosdep_keys.txt').read_text(encoding='utf-8').splitlines()
    return {line for line in lines if line and not line.startswith('#')}


@pytest.mark.parametrize('package', PACKAGES)
def test_every_dependency_has_a_system_package(package: str) -> None:
    """docs/releasing.md tells how to renew the list, should a new key not be in it."""
    manifest = ET.parse(MANIFESTS[package]).getroot()
    wanted = {each.text for each in manifest if each.tag.endswith('depend')}
    assert len(wanted) > 5
    assert wanted - known_names() - set(PACKAGES) == set()


def test_requirements_of_pip_have_no_key() -> None:
    """A key that rosdistro has by now belongs into package.xml instead."""
    text = (ROOT / 'requirements' / 'runtime.txt').read_text(encoding='utf-8')
    names = re.findall(r'^[a-z0-9-]+', text, re.MULTILINE)
    assert 'ai-edge-litert' in names
    # ai-edge-litert requires a newer version of this one.
    assert {name for name in names if f'python3-{name}' in known_names()} == {'flatbuffers'}


def git(clone: Path, *arguments: str) -> None:
    settings = ('user.name=test', 'user.email=test@localhost', 'commit.gpgsign=false')
    options = [word for each in settings for word in ('-c', each)]
    command = ('git', '-C', str(clone), *options, *arguments)
    subprocess.run(command, check=True)


@pytest.fixture
def rosdistro(tmp_path: Path) -> Path:
    """Return a clone with each form that a rule may take."""
    files = {
        'rosdep/base.yaml': """
            by_name: {ubuntu: [a]}
            by_apt: {ubuntu: {apt: {packages: [a]}}}
            by_release: {ubuntu: {jammy: [a], noble: [a], resolute: {apt: {packages: [a]}}}}
            everywhere: {'*': [a]}
            of_other_systems: {debian: [a]}
            """,
        'rosdep/python.yaml': """
            pip: {ubuntu: {pip: {packages: [a]}}}
            pip_everywhere: {'*': {pip: {packages: [a]}}}
            pip_on_jammy: {ubuntu: {'*': [a], jammy: {pip: {packages: [a]}}}}
            not_on_noble: {ubuntu: {'*': [a], noble: null}}
            not_on_resolute: {ubuntu: {jammy: [a], noble: [a]}}
            """,
    }
    for distribution in ('humble', 'jazzy', 'kilted', 'lyrical', 'rolling'):
        files[f'{distribution}/distribution.yaml'] = f"""
            repositories:
              alone: {{release: {{version: 1.0.0-1}}}}
              family: {{release: {{version: 1.0.0-1, packages: [first, second]}}}}
              unreleased: {{release: {{packages: [unreleased]}}}}
              only_source: {{source: {{version: main}}}}
              only_in_{distribution}: {{release: {{version: 1.0.0-1}}}}
            """
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding='utf-8')
    git(tmp_path, 'init', '--quiet')
    git(tmp_path, 'add', '.')
    git(tmp_path, 'commit', '--quiet', '--message', 'Rules', '--date', '2026-01-02T12:00:00')
    return tmp_path


def test_the_list_has_the_packages_of_every_release(rosdistro: Path) -> None:
    command = (sys.executable, ROOT / 'tools' / 'rosdep_keys.py', rosdistro)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    listed = [line for line in done.stdout.splitlines() if line and not line.startswith('#')]
    keys = ['by_apt', 'by_name', 'by_release', 'everywhere']
    assert listed == [*keys, 'alone', 'first', 'second']
