# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""Build rules of edgetpu_retrain; colcon calls them (`colcon build`)."""

import os
from pathlib import Path
import sys

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

NAME = 'edgetpu_retrain'
HERE = Path(__file__).resolve().parent


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


def data_inside_the_package() -> list[str]:
    """Return what else than Python lies in the package (models, licences, pictures)."""
    root = HERE / NAME
    return sorted(
        str(path.relative_to(root))
        for path in root.rglob('*')
        if path.is_file() and path.suffix not in {'.py', '.pyc'}
    )


def shared(folder: str, pattern: str) -> tuple[str, list[str]]:
    """Return the files of a folder as an entry of data_files, to go to share/<package>/."""
    files = sorted(str(path.relative_to(HERE)) for path in (HERE / folder).glob(pattern))
    return f'share/{NAME}/{folder}', files


setup(
    name=NAME,
    version='0.1.0',
    description='Teach a robot new classes while it runs: retrain the last layer of a .tflite '
    'image classifier on what its cameras see',
    license='Apache-2.0',
    maintainer='edgetpu_retrain maintainers',
    maintainer_email='maintainers@users.noreply.github.com',
    cmdclass={'build_py': BuildPy},
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: data_inside_the_package()},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        shared('launch', '*.launch.py'),
        shared('config', '*.*'),
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    entry_points={
        'console_scripts': [
            f'{NAME}_node = {NAME}.node.main:main',
            f'{NAME}_demo = {NAME}.demo.main:main',
            f'cli = {NAME}.command_line.main:main',
            f'replay = {NAME}.replay.main:main',
        ],
    },
)
