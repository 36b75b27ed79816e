# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds or creates the data folder, which contains samples and models."""

from __future__ import annotations

import os
from pathlib import Path

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.store.files.disk_errors import store_error
from edgetpu_retrain.store.files.durable_file import make_folder
from edgetpu_retrain.wording import quoted

FOLDER_NAME = 'edgetpu_retrain'

DEFAULT_NODE = '/edgetpu_retrain'
"""Full name of the node with its default name and without a namespace."""

SAMPLES_FILE = 'samples.db'
"""Name of the samples' SQLite file in the data folder."""

MODELS_FOLDER = 'models'
"""Name of the folder of model versions in the data folder."""

_OWNER_ONLY = 0o700


def default_folder(node: str = DEFAULT_NODE) -> Path:
    """
    Return the data folder of a node whose parameter ``data_dir`` is empty.

    The folder is ``$ROS_HOME/edgetpu_retrain`` or, if ROS_HOME is not set,
    ``~/.ros/edgetpu_retrain``.  This rule is that of ROS 1, see
    https://wiki.ros.org/ROS/EnvironmentVariables#ROS_HOME, and of ROS 2's rcl_logging.  A node
    with a namespace or another name uses a sub-folder of this folder, such as
    ``robot1/edgetpu_retrain``.

    Args:
        node: full name of the node, such as ``/robot1/edgetpu_retrain``.

    Returns:
        A path, perhaps with a leading '~'.  The folder may not exist.
    """
    folder = Path(os.environ.get('ROS_HOME') or '~/.ros') / FOLDER_NAME
    return folder if node == DEFAULT_NODE else folder / node.lstrip('/')


def expanded(path: Path) -> Path:
    """Return a path with the home folder instead of '~'; raise RequestError if there is none."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise RequestError(
            f'{quoted(path)} begins with the home folder of a user who has none here: give '
            'another path'
        ) from error


def data_folder(parameter: str, node: str = DEFAULT_NODE) -> Path:
    """
    Return the path of the data folder, and create the folder if it is missing.

    A new folder is accessible to its user only, because it may contain camera pictures.  An
    existing folder keeps its permissions.

    Args:
        parameter: value of the node's parameter ``data_dir``, or of the command line's option; a
            leading '~' is the user's home.  '' means :func:`default_folder`.
        node: full name of the node.

    Returns:
        An absolute path to an existing folder.

    Raises:
        StoreError: if the path is invalid, the user has no home folder, or the folder cannot be
            created.
    """
    try:
        wanted = Path(parameter) if parameter else default_folder(node)
        folder = wanted.expanduser().resolve()
        if not parameter:
            # The folder of the default node contains the default folders of all other nodes.
            # Create it first: a missing parent would be created readable for everybody, and
            # make_folder() does not change existing folders.
            make_folder(default_folder().expanduser().resolve(), _OWNER_ONLY)
        make_folder(folder, _OWNER_ONLY)
    except OSError as error:
        raise store_error('create the data folder', wanted, error) from error
    except (RuntimeError, ValueError) as error:
        # pathlib raises RuntimeError without a home folder, and ValueError for a NUL character.
        raise StoreError(
            f'The data folder {parameter or "~/.ros"!r} cannot be found: {error}. '
            'What to do: set data_dir to the absolute path of a folder.'
        ) from error
    return folder
