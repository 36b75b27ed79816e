# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""setup.py for pip: contents, dependencies, and use without ROS."""

from __future__ import annotations

from importlib.metadata import distribution
import json
from pathlib import Path
import re

from edgetpu_retrain.report.report_files import _NEEDED
from packaging.requirements import Requirement
import pytest
from support.bags import image, photographs, write_bag, write_class_folders
from support.command_line_types import TEACH_ALL
from support.pip_environment import (
    copy_checkout,
    files_in,
    NAME,
    PipEnvironment,
    ROOT,
    wheel_requirements,
)
from support.programs import PROGRAMS

SUBJECTS = ('cat', 'coffee')
IMPORT_ALL_BUT_ROS = """
import importlib, pkgutil
import edgetpu_retrain
for module in pkgutil.walk_packages(edgetpu_retrain.__path__, 'edgetpu_retrain.'):
    if '.fleet' in module.name:  # needs libraries that pip installs only where a fleet is wanted
        continue
    if not any(f'.{each}' in module.name for each in ('needs_ros', 'node.', 'replay.', 'demo.',
                                                      'webcam.webcam_node', 'gamepad.', 'page.',
                                                      'client', 'processes.', 'report.',
                                                      'parameter_file', 'recordings.bag_reader',
                                                      'recordings.unpacking',
                                                      'recordings.mcap_storage',
                                                      'recordings.sqlite_storage', '__main__')):
        importlib.import_module(module.name)
"""


class Build:
    """The archives of a copy of this checkout."""

    def __init__(self, folder: Path) -> None:
        self.checkout = copy_checkout(folder / 'checkout')
        self.environment = PipEnvironment(folder / 'empty')
        self.wheel = self.environment.wheel(self.checkout, folder / 'wheel')
        self.sdist = self.environment.sdist(self.checkout, folder / 'sdist')


@pytest.fixture(scope='module')
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return Build(tmp_path_factory.mktemp('build'))


def install(build: Build, folder: Path, what: str, *extras: str) -> PipEnvironment:
    """Return an environment of its own into which pip has installed the package."""
    environment = PipEnvironment(folder)
    environment.add_libraries(wheel_requirements(build.wheel, ('', *extras)))
    wanted = f'{what}[{",".join(extras)}]' if extras else what
    done = environment.pip('install', '--no-build-isolation', wanted, folder=build.checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    return environment


@pytest.fixture(scope='module')
def bare(build: Build, tmp_path_factory: pytest.TempPathFactory) -> PipEnvironment:
    """Return an environment after `pip install .`."""
    return install(build, tmp_path_factory.mktemp('bare'), '.')


@pytest.fixture(scope='module')
def complete(build: Build, tmp_path_factory: pytest.TempPathFactory) -> PipEnvironment:
    """Return an environment with the wheel and its extras."""
    folder = tmp_path_factory.mktemp('complete')
    return install(build, folder, str(build.wheel), 'report', 'bags', 'fleet')


@pytest.fixture(params=['bare', 'complete'])
def installed(request: pytest.FixtureRequest) -> PipEnvironment:
    environment = request.getfixturevalue(request.param)
    assert isinstance(environment, PipEnvironment)
    return environment


@pytest.fixture(scope='module')
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with photographs to teach, and others to be judged by."""
    folder = tmp_path_factory.mktemp('pictures')
    write_class_folders(folder / 'photographs', SUBJECTS, 10)
    write_class_folders(folder / 'other_photographs', SUBJECTS, 4, seed=1)
    return folder


def files_of_the_package() -> set[str]:
    paths = (ROOT / NAME).rglob('*')
    # Others may write bytecode meanwhile, to files with temporary names.
    kept = (path for path in paths if '__pycache__' not in path.parts and path.is_file())
    return {str(path.relative_to(ROOT)) for path in kept}


def test_a_wheel_contains_only_the_package(build: Build) -> None:
    names = files_in(build.wheel).keys()
    about = {Path(name).name for name in names if not name.startswith(f'{NAME}/')}
    assert {name for name in names if name.startswith(f'{NAME}/')} == files_of_the_package()
    assert f'{NAME}/py.typed' in names
    described = {'METADATA', 'RECORD', 'WHEEL', 'entry_points.txt', 'top_level.txt'}
    assert about == described | {'LICENSE'}
    # A build must not leave files for the next one, nor in colcon's folder.
    assert not (build.checkout / 'build').exists()


def test_a_source_archive_contains_the_sources_of_the_wheel(build: Build, tmp_path: Path) -> None:
    files = files_in(build.sdist)
    beside = {name for name in files if not name.startswith((f'{NAME}/', f'{NAME}.egg-info/'))}
    assert files.keys() >= files_of_the_package()
    build_rules = {'MANIFEST.in', 'pyproject.toml', 'setup.cfg', 'setup.py'}
    assert beside == build_rules | {'LICENSE', 'PKG-INFO', 'README.md'}
    for name, content in files.items():
        path = tmp_path / 'source' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    again = build.environment.wheel(tmp_path / 'source', tmp_path / 'wheel')
    assert files_in(again) == files_in(build.wheel)


def test_version_ranges_agree_with_other_installations(build: Build) -> None:
    extras = ('', 'bags', 'fleet', 'test')
    asked = {each.name: each for each in wheel_requirements(build.wheel, extras)}
    for file in ('runtime.txt', 'test.txt'):
        lines = (ROOT / 'requirements' / file).read_text().splitlines()
        for line in filter(None, (line.partition('#')[0].strip() for line in lines)):
            other = Requirement(line)
            assert set(other.specifier) <= set(asked[other.name].specifier), other


def test_extras_have_the_names_in_messages(build: Build) -> None:
    alone = {each.name for each in wheel_requirements(build.wheel)}
    assert {e.name for e in wheel_requirements(build.wheel, ('report',))} == alone | set(_NEEDED)
    assert {e.name for e in wheel_requirements(build.wheel, ('bags',))} == alone | {'rosbags'}


def test_with_ros_no_requirements_are_declared() -> None:
    """What colcon has installed here: apt's OpenCV has another name than pip's."""
    installed = distribution(NAME)
    assert [each for each in installed.requires or () if 'extra ==' not in each] == []
    programs = {each.name for each in installed.entry_points}
    assert programs == set(PROGRAMS)


def test_building_fails_if_ros_is_sourced(build: Build, tmp_path: Path) -> None:
    done = build.environment.pip(
        *('wheel', '--no-build-isolation', '--no-deps', '--wheel-dir', tmp_path, '.'),
        folder=build.checkout,
        AMENT_PREFIX_PATH='/opt/ros/jazzy',
    )
    assert done.returncode != 0
    assert 'use `make setup` instead' in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_one_program_is_in_path(bare: PipEnvironment, build: Build) -> None:
    ours = {path.name for path in bare.programs.iterdir()}
    assert ours - {path.name for path in build.environment.programs.iterdir()} == {NAME}


def test_pip_check_succeeds(installed: PipEnvironment, tmp_path: Path) -> None:
    done = installed.python('-m', 'pip', 'check', folder=tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, 'No broken requirements found.')


def test_modules_without_ros_can_be_imported(bare: PipEnvironment, tmp_path: Path) -> None:
    done = bare.python('-c', IMPORT_ALL_BUT_ROS, folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_commands_of_the_document_run(
    installed: PipEnvironment, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / 'photographs').symlink_to(pictures / 'photographs')
    (tmp_path / 'other_photographs').symlink_to(pictures / 'other_photographs')
    document = (ROOT / 'docs' / 'python.md').read_text()
    blocks = re.findall(r'^```bash\n(.*?)^```', document, re.MULTILINE | re.DOTALL)
    (commands,) = (block for block in blocks if 'evaluate' in block)
    done = installed.run('bash', '-e', '-c', commands, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'exported' / 'labels.txt').read_text() == '0 cat\n1 coffee\n'
    evaluate = (NAME, 'evaluate', 'other_photographs', '--data-dir', 'learned', '--json')
    done = installed.run(*evaluate, folder=tmp_path)
    assert json.loads(done.stdout)['accuracy'] == 1.0


def test_the_example_for_python_runs(bare: PipEnvironment, pictures: Path, tmp_path: Path) -> None:
    page = (ROOT / 'docs' / 'python.md').read_text()
    (example,) = re.findall(r'^```python\n(.*?)^```', page, re.MULTILINE | re.DOTALL)
    done = bare.python('-c', example, pictures / 'photographs', folder=tmp_path)
    assert '100% of the held-out photographs right' in done.stdout, done.stderr


def test_extras_bring_report_and_bags(complete: PipEnvironment, tmp_path: Path) -> None:
    for subject in SUBJECTS:
        messages = [image(picture) for picture in photographs(subject, 6)]
        bag = write_bag(tmp_path / subject, 'mcap', {'/camera': messages})
        options = ('--topic', '/camera', '--label', subject, '--data-dir', 'learned')
        done = complete.run(NAME, *TEACH_ALL, bag, *options, folder=tmp_path)
        assert done.returncode == 0, done.stderr
    done = complete.run(NAME, 'report', '--data-dir', 'learned', folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'report.html').exists()


def test_without_an_extra_the_message_has_the_pip_command(
    bare: PipEnvironment, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / 'bag', 'mcap', {'/camera': [image(photographs('cat', 1)[0])]})
    options = ('--topic', '/camera', '--label', 'cat', '--data-dir', 'learned')
    done = bare.run(NAME, *TEACH_ALL, bag, *options, folder=tmp_path)
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert (done.returncode, 'python3 -m pip install rosbags' in sentence) == (1, True)
    done = bare.run(NAME, 'report', folder=tmp_path)
    (sentence,) = done.stderr.splitlines()
    assert (done.returncode, 'pip install matplotlib jinja2' in sentence) == (2, True)


@pytest.mark.parametrize(
    'part', ['node', 'replay', 'webcam', 'gamepad', 'page', 'demo', 'station']
)
def test_programs_that_need_ros_report_this_in_one_sentence(
    bare: PipEnvironment, tmp_path: Path, part: str
) -> None:
    done = bare.python('-m', f'{NAME}.{part}.main', folder=tmp_path)
    (sentence,) = filter(None, done.stderr.splitlines())
    assert (done.returncode, done.stdout) == (1, '')
    assert re.search(r'cannot import rclpy.*make (setup|demo|teach).*', sentence)


@pytest.mark.parametrize('module', ['node.spin', 'replay.command', 'webcam.webcam_node', 'client'])
def test_importing_what_needs_ros_without_it_reports_this(
    bare: PipEnvironment, tmp_path: Path, module: str
) -> None:
    code = f'try: import {NAME}.{module}\nexcept ImportError as error: print(error)'
    done = bare.python('-c', code, folder=tmp_path)
    assert 'need ROS 2, and Python cannot import rclpy: source ROS 2' in done.stdout
