# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The requirements of bloom to release both packages, see docs/releasing.md."""

from __future__ import annotations

from pathlib import Path
import re
import shutil
import subprocess
import sys

from catkin_pkg.changelog import get_changelog_from_path
from catkin_pkg.package import Package, parse_package
from catkin_pkg.packages import find_packages
import pytest

ROOT = Path(__file__).parents[1]
NAME = 'edgetpu_retrain'
INTERFACES = f'{NAME}_interfaces'
FOLDERS = {NAME: ROOT, INTERFACES: ROOT / INTERFACES}


def manifest(package: str) -> Package:
    return parse_package(str(FOLDERS[package]))


def addresses(package: Package) -> dict[str, str]:
    return {each.type: each.url for each in package.urls}


def names(folder: Path) -> dict[str, str]:
    return {path: found.name for path, found in find_packages(str(folder)).items()}


def test_bloom_finds_one_package_in_the_checkout() -> None:
    """This is why the interfaces are released from a branch of their own."""
    assert names(ROOT) == {'.': NAME}


def test_the_interfaces_are_a_complete_package(tmp_path: Path) -> None:
    shutil.copytree(ROOT / INTERFACES, tmp_path / 'branch')
    assert names(tmp_path / 'branch') == {'.': INTERFACES}
    for licence in manifest(INTERFACES).licenses:
        own = tmp_path / 'branch' / licence.file
        assert own.read_bytes() == (ROOT / 'LICENSE').read_bytes()


@pytest.mark.parametrize('package', FOLDERS)
def test_manifest_is_valid(package: str) -> None:
    warnings: list[str] = []
    parse_package(str(FOLDERS[package]), warnings=warnings)
    assert warnings == []


def test_both_manifests_have_the_same_version_and_people() -> None:
    outer, inner = manifest(NAME), manifest(INTERFACES)
    assert outer.version == inner.version
    for what in ('maintainers', 'authors', 'licenses'):
        assert [*map(str, getattr(outer, what))] == [*map(str, getattr(inner, what))]
    assert addresses(outer) == addresses(inner)


def test_setup_and_manifest_agree() -> None:
    outer = manifest(NAME)
    told = {
        'name': outer.name,
        'version': outer.version,
        'license': outer.licenses[0],
        'author': outer.authors[0].name,
        'maintainer': outer.maintainers[0].name,
        'maintainer-email': outer.maintainers[0].email,
    }
    command = (sys.executable, 'setup.py', *(f'--{option}' for option in told))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == list(told.values())


@pytest.mark.parametrize('package', FOLDERS)
def test_newest_changes_are_those_of_the_version(package: str) -> None:
    """What bloom refuses is a package whose changelog begins with another version."""
    changes = get_changelog_from_path(str(FOLDERS[package] / 'CHANGELOG.rst'), package)
    released = [version for version, *_ in changes.foreach_version(reverse=True)]
    assert released[0] == manifest(package).version
    assert all(changes.get_content_of_version(version) for version in released)


def open_points() -> set[str]:
    text = (ROOT / 'docs' / 'releasing.md').read_text(encoding='utf-8')
    return set(re.findall(r'^- \[ \] \*\*(.+?)\*\*', text, re.MULTILINE))


def test_missing_information_is_listed() -> None:
    missing = set()
    if any('noreply' in each.email for each in manifest(NAME).maintainers):
        missing.add('Maintainer')
    if not {'repository', 'bugtracker'} <= addresses(manifest(NAME)).keys():
        missing.add('Addresses')
    assert open_points() == missing
