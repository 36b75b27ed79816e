# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The workspace: imports, builds, and the commands of the README."""

from __future__ import annotations

import ast
from importlib.metadata import entry_points
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[1]
NAME = 'edgetpu_retrain'
INTERFACES = f'{NAME}_interfaces'
MARKER = f'share/ament_index/resource_index/packages/{INTERFACES}'

# Fields of ros-perception/vision_msgs 4.1.1 (branch ros2), in order: what is on the wire.
# `make test` keeps the source off the path; `colcon test` has pytest find it there.
needs_installation = pytest.mark.skipif(
    'PYTHONSAFEPATH' not in os.environ,
    reason='is about what was installed, which `make test` sees and `colcon test` does not',
)

VISION_MSGS = {
    'BoundingBox2D': {
        'center': 'vision_msgs/Pose2D',
        'size_x': 'double',
        'size_y': 'double',
    },
    'Classification': {
        'header': 'std_msgs/Header',
        'results': 'sequence<vision_msgs/ObjectHypothesis>',
    },
    'Detection2D': {
        'header': 'std_msgs/Header',
        'results': 'sequence<vision_msgs/ObjectHypothesisWithPose>',
        'bbox': 'vision_msgs/BoundingBox2D',
        'id': 'string',
    },
    'Detection2DArray': {
        'header': 'std_msgs/Header',
        'detections': 'sequence<vision_msgs/Detection2D>',
    },
    'LabelInfo': {
        'header': 'std_msgs/Header',
        'class_map': 'sequence<vision_msgs/VisionClass>',
        'threshold': 'float',
    },
    'ObjectHypothesis': {'class_id': 'string', 'score': 'double'},
    'ObjectHypothesisWithPose': {
        'hypothesis': 'vision_msgs/ObjectHypothesis',
        'pose': 'geometry_msgs/PoseWithCovariance',
    },
    'Point2D': {'x': 'double', 'y': 'double'},
    'Pose2D': {'position': 'vision_msgs/Point2D', 'theta': 'double'},
    'VisionClass': {'class_id': 'uint16', 'class_name': 'string'},
    'VisionInfo': {
        'header': 'std_msgs/Header',
        'method': 'string',
        'database_location': 'string',
        'database_version': 'int32',
    },
}


def manifest() -> ET.Element:
    return ET.parse(ROOT / 'package.xml').getroot()


def environment_without_interfaces() -> dict[str, str]:
    """Return this environment as it is before our own interfaces are built and sourced."""
    variables = dict(os.environ)
    variables.pop('COLCON_DEFAULTS_FILE', None)
    variables.pop('COLCON_PREFIX_PATH', None)
    for name in ('AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH'):
        prefixes = [p for p in variables.get(name, '').split(os.pathsep) if p]
        kept = [p for p in prefixes if not (Path(p) / MARKER).exists()]
        variables[name] = os.pathsep.join(kept)
    return variables


def run(
    *command: str | Path, folder: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    variables = environment_without_interfaces() | environment
    return subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a workspace in whose src this package lies, as after a `git clone`."""
    tracked = ('package.xml', 'setup.py', 'setup.cfg', 'resource', 'config', 'launch', NAME)
    package = tmp_path / 'workspace' / 'src' / NAME
    package.mkdir(parents=True)
    for item in (*tracked, INTERFACES):
        if (ROOT / item).is_dir():
            shutil.copytree(
                ROOT / item, package / item, ignore=shutil.ignore_patterns('__pycache__')
            )
        else:
            shutil.copy(ROOT / item, package)
    return tmp_path / 'workspace'


def test_every_import_is_declared() -> None:
    """The manifest names what rosdep resolves, requirements/runtime.txt the rest."""
    keys = {
        'click': 'python3-click',
        'cv2': 'python3-opencv',
        'jinja2': 'python3-jinja2',
        'matplotlib': 'python3-matplotlib',
        'numpy': 'python3-numpy',
        'rich': 'python3-rich',
    }
    # Optional by design: looked for, and done without.
    optional = {'domain_coordinator', 'pycoral', 'tflite_runtime'}
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
@pytest.mark.parametrize('program', [f'{NAME}_node', f'{NAME}_demo', 'cli', 'replay'])
def test_console_scripts_lead_somewhere(program: str) -> None:
    (script,) = entry_points(group='console_scripts', name=program)
    assert callable(script.load())


def installed_prefix() -> Path:
    from ament_index_python.packages import get_package_prefix

    return Path(get_package_prefix(NAME))


@needs_installation
@pytest.mark.parametrize('program', [f'{NAME}_node', f'{NAME}_demo', 'cli', 'replay'])
def test_installed_scripts_take_the_python_of_the_active_environment(program: str) -> None:
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
    ],
)
def test_shared_files_are_installed(file: str) -> None:
    installed = installed_prefix() / 'share' / NAME / file
    assert installed.read_bytes() == (ROOT / file).read_bytes()


@needs_installation
def test_data_of_the_package_is_installed() -> None:
    import edgetpu_retrain

    data = [path for path in (ROOT / NAME).rglob('*') if path.suffix in {'.tflite', '.jpg', '.md'}]
    assert any(path.suffix == '.tflite' for path in data)
    installed = Path(edgetpu_retrain.__file__).parent
    for path in data:
        assert (installed / path.relative_to(ROOT / NAME)).read_bytes() == path.read_bytes()


@needs_installation
def test_tests_see_the_installed_package() -> None:
    """`make test` is to prove what is installed, not the source that lies beside the tests."""
    import edgetpu_retrain

    assert installed_prefix() in Path(edgetpu_retrain.__file__).parents


def test_build_stops_where_the_interfaces_are_missing(tmp_path: Path) -> None:
    build = (sys.executable, 'setup.py', 'build_py', '--build-lib', tmp_path / 'lib')
    outcome = run(*build, AMENT_PREFIX_PATH=str(tmp_path / 'no_interfaces_here'))
    assert outcome.returncode != 0
    assert f'ln -s {ROOT.name}/{INTERFACES} {ROOT.parent}/' in outcome.stderr
    assert f'colcon build --base-paths {ROOT.parent.name} ' in outcome.stderr
    assert 'Traceback' not in outcome.stderr
    assert not (tmp_path / 'lib').exists()


def test_build_goes_on_where_the_interfaces_are(tmp_path: Path) -> None:
    (tmp_path / MARKER).parent.mkdir(parents=True)
    (tmp_path / MARKER).touch()
    build = (sys.executable, 'setup.py', 'build_py', '--build-lib', tmp_path / 'lib')
    prefixes = os.pathsep.join(['/nowhere', str(tmp_path)])
    assert run(*build, AMENT_PREFIX_PATH=prefixes).returncode == 0
    assert (tmp_path / 'lib' / NAME / '__init__.py').exists()


def test_build_outside_of_ros_is_not_held_up(tmp_path: Path) -> None:
    build = (sys.executable, 'setup.py', 'build_py', '--build-lib', tmp_path / 'lib')
    assert run(*build, AMENT_PREFIX_PATH='').returncode == 0


def test_half_build_in_a_workspace_is_an_error(workspace: Path) -> None:
    outcome = run('colcon', 'build', folder=workspace)
    assert outcome.returncode != 0
    assert f'ln -s {NAME}/{INTERFACES} {workspace}/src/' in outcome.stdout + outcome.stderr


@pytest.mark.parametrize('way', ['link', 'base paths'])
def test_both_ways_of_the_error_message_find_both_packages(workspace: Path, way: str) -> None:
    options: tuple[str, ...] = ()
    if way == 'link':
        (workspace / 'src' / INTERFACES).symlink_to(f'{NAME}/{INTERFACES}')
    else:
        options = ('--base-paths', 'src', f'src/{NAME}/{INTERFACES}')
    found = run('colcon', 'list', '--names-only', *options, folder=workspace)
    assert sorted(found.stdout.split()) == [NAME, INTERFACES]


def test_colcon_test_runs_the_tests_of_the_package(workspace: Path) -> None:
    package = workspace / 'src' / NAME
    shutil.copy(ROOT / 'pyproject.toml', package)
    (package / 'test').mkdir()
    (package / 'test' / 'test_it.py').write_text('def test_it() -> None:\n    assert __name__\n')
    # colcon tests what it has built.
    (workspace / 'build' / NAME).mkdir(parents=True)
    outcome = run('colcon', 'test', '--return-code-on-test-failure', folder=workspace)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    (suite,) = ET.parse(workspace / 'build' / NAME / 'pytest.xml').getroot()
    assert suite.get('tests') == '1'


def test_plain_colcon_in_the_checkout_finds_both_packages() -> None:
    found = run('colcon', '--log-base', os.devnull, 'list', '--names-only')
    assert sorted(found.stdout.split()) == [NAME, INTERFACES]


def test_vision_msgs_agrees_with_upstream() -> None:
    """Whichever is in use: the real package, or the messages in underlay/."""
    import vision_msgs.msg

    for name, fields in VISION_MSGS.items():
        found = getattr(vision_msgs.msg, name).get_fields_and_field_types()
        assert list(found.items()) == list(fields.items()), name


def test_underlay_has_just_these_messages() -> None:
    underlay = ROOT / 'underlay' / 'vision_msgs'
    rules = (underlay / 'CMakeLists.txt').read_text(encoding='utf-8')
    assert set(re.findall(r'msg/(\w+)\.msg', rules)) == set(VISION_MSGS)
    assert {path.stem for path in (underlay / 'msg').iterdir()} == set(VISION_MSGS)


def test_every_make_command_of_the_readme_exists() -> None:
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    commands = set(re.findall(r'\bmake ([a-z]+)\b', '\n'.join(code_in(readme))))
    assert {'demo', 'test'} <= commands
    for command in commands:
        # What the make that runs these tests was told (ROS=kilted) is not for this one.
        outcome = run('make', '--dry-run', command, MAKEFLAGS='', ROS='', VERSIONS='')
        assert outcome.returncode == 0, outcome.stderr
        assert f'tools/dev.sh  {command}' in outcome.stdout


def code_in(markdown: str) -> list[str]:
    blocks = re.findall(r'^```\w*\n(.*?)^```', markdown, re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r'`([^`\n]+)`', markdown)]


@pytest.mark.parametrize(
    'made',
    ['.venv', '.venv-kilted', 'build', 'install-kilted', 'log', '.cache', '.ros', 'demo_output'],
)
def test_what_the_commands_leave_is_ignored_by_git(made: str) -> None:
    patterns = (ROOT / '.gitignore').read_text(encoding='utf-8').split()
    assert any(Path(f'/{made}').match(p.strip('/')) for p in patterns if p.startswith('/'))
