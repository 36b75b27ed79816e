# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Installs this package with pip into a virtual environment, without a network and without ROS.

An environment is empty at first.  It then gets, from the libraries of the tests, those that the
package requires, so that an undeclared requirement is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import Distribution, distribution, PackageNotFoundError
import os
from pathlib import Path, PurePath
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

from packaging.requirements import Requirement
import pytest

ROOT = Path(__file__).parents[2]
NAME = 'edgetpu_retrain'

_NOT_SOURCE = ('.*', 'build*', 'install*', 'log*', 'demo_output', '__pycache__', '*.egg-info')


def copy_checkout(folder: Path) -> Path:
    """Copy this repository, without the files that its commands write."""
    return Path(shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*_NOT_SOURCE)))


class PipEnvironment:
    """
    A virtual environment with pip and setuptools of the tests, and no other library.

    Args:
        folder: folder of the environment, and its home folder.
    """

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, '-m', 'venv', '--without-pip', folder], check=True)
        (self.libraries,) = folder.glob('lib/python*/site-packages')
        self.programs = folder / 'bin'
        self._build_tools = folder / 'build_tools'
        self._build_tools.mkdir()
        self._link('pip', self.libraries)
        self._link('setuptools', self._build_tools)
        if not _has_wheels(distribution('setuptools')):
            self._link('wheel', self._build_tools)
        self.variables = {
            'HOME': str(folder),
            'LANG': 'C.UTF-8',
            'PATH': f'{self.programs}:{os.defpath}',
            'PIP_DISABLE_PIP_VERSION_CHECK': '1',
            'PIP_NO_INDEX': '1',
        }

    def run(
        self, *command: str | Path, folder: Path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=folder,
            env=self.variables | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def python(self, *arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
        return self.run('python', *arguments, folder=folder)

    def pip(
        self, *arguments: str | Path, folder: Path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        variables = {'PYTHONPATH': str(self._build_tools)} | variables
        return self.run('python', '-m', 'pip', *arguments, folder=folder, **variables)

    def wheel(self, source: Path, folder: Path) -> Path:
        """Build the wheel of a source tree in a folder, and return its path."""
        options = ('--no-build-isolation', '--no-deps', '--wheel-dir')
        done = self.pip('wheel', *options, folder, '.', folder=source)
        assert done.returncode == 0, done.stdout + done.stderr
        (wheel,) = folder.glob('*.whl')
        return wheel

    def sdist(self, source: Path, folder: Path) -> Path:
        """Build the source archive of a source tree, as `python -m build` does."""
        code = 'import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])'
        tools = str(self._build_tools)
        done = self.run('python', '-c', code, folder, folder=source, PYTHONPATH=tools)
        assert done.returncode == 0, done.stdout + done.stderr
        (sdist,) = folder.glob('*.tar.gz')
        return sdist

    def add_libraries(self, requirements: Iterable[Requirement]) -> None:
        """Add requirements, and their requirements in turn, from the libraries of the tests."""
        for each in requirements:
            if each.marker is None or each.marker.evaluate({'extra': ''}):
                found = self._link(each.name, self.libraries)
                if found is not None:
                    self.add_libraries(Requirement(line) for line in found.requires or ())

    def _link(self, name: str, folder: Path) -> Distribution | None:
        """Link a distribution of the tests into a folder; return None if it is there already."""
        try:
            found = distribution(name)
        except PackageNotFoundError:
            pytest.skip(f'{name} is not installed under this name (apt has another)')
        if found.files is None:
            pytest.skip(f'{name} has no list of its files (it is not from pip)')
        paths = {_path_to_link(found, each) for each in found.files if '..' not in each.parts}
        about = [path for path in paths if path.name.endswith('-info')]
        if any((folder / path).exists() for path in about):
            return None
        for path in paths - {Path('__pycache__')}:
            if path.suffix != '.pth':
                (folder / path).parent.mkdir(exist_ok=True)
                (folder / path).symlink_to(Path(str(found.locate_file(path))))
        return found


def _path_to_link(found: Distribution, file: PurePath) -> Path:
    """Return the top folder of a file, or the level below if distributions share the folder."""
    top = Path(str(found.locate_file(file.parts[0])))
    is_own = (top / '__init__.py').exists() or top.name.endswith('-info')
    return Path(*file.parts[: 1 if is_own else 2])


def _has_wheels(setuptools: Distribution) -> bool:
    """Return whether this setuptools builds wheels without `wheel`, as from 70.1 on."""
    return tuple(map(int, setuptools.version.split('.')[:2])) >= (70, 1)


def wheel_requirements(wheel: Path, extras: Iterable[str] = ('',)) -> list[Requirement]:
    """Return the requirements of a wheel with extras."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith('.dist-info/METADATA'))
        lines = re.findall(r'^Requires-Dist: (.*)$', archive.read(name).decode(), re.MULTILINE)
    found = []
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({'extra': extra}) for extra in extras):
            requirement.marker = None
            found.append(requirement)
    return found


def files_in(archive: Path) -> dict[str, bytes]:
    """Return the files of a wheel or a source archive, without the top folder of the latter."""
    if archive.suffix == '.whl':
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    found = {}
    with tarfile.open(archive) as sdist:
        for member in sdist:
            content = sdist.extractfile(member)
            if content is not None:
                found[member.name.partition('/')[2]] = content.read()
    return found
