# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds the configuration folder, and checks that the required modules are installed."""

from __future__ import annotations

from collections.abc import Iterable
import importlib.util
from pathlib import Path

from edgetpu_retrain.processes.program_error import ProgramError

LARGE_IMAGES_PROFILE = 'fastdds_large_images.xml'
"""File name of the Fast DDS profile for publishers of large images, in :func:`config_folder`."""


def config_folder() -> Path:
    """
    Return the folder with retrain.yaml and fastdds_large_images.xml.

    Raises:
        ProgramError: if the package is neither in a source tree nor in AMENT_PREFIX_PATH.
    """
    beside_the_package = Path(__file__).parents[2] / 'config'
    if (beside_the_package / LARGE_IMAGES_PROFILE).is_file():
        return beside_the_package
    from ament_index_python.packages import get_package_share_directory, PackageNotFoundError

    try:
        return Path(get_package_share_directory('edgetpu_retrain')) / 'config'
    except PackageNotFoundError:
        raise ProgramError(
            'The package edgetpu_retrain is not in AMENT_PREFIX_PATH. Source the workspace that '
            'contains it (`source install/setup.bash`), or type `make demo` or `make teach` in '
            'its repository.'
        ) from None


def require_modules(names: Iterable[str], command: str) -> None:
    """
    Check that modules can be imported.

    Args:
        names: names of the modules.
        command: the command that installs and runs everything in a checkout, such as
            ``make demo``.

    Raises:
        ProgramError: if modules are missing; the message names them.
    """
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise ProgramError(
            f'Python cannot import {", ".join(missing)}. Type `{command}` in the repository; or '
            'source ROS 2 and the workspace (`source install/setup.bash`), and install what is '
            'missing there (`rosdep install --from-paths . --ignore-src`).'
        )
