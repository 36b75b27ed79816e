# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds or creates the data folder, which contains samples and models."""

from __future__ import annotations

import os
from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.disk_errors import store_error
from edgetpu_retrain.store.files.durable_file import make_folder

FOLDER_NAME = 'edgetpu_retrain'

SAMPLES_FILE = 'samples.db'
"""Name of the samples' SQLite file in the data folder."""

MODELS_FOLDER = 'models'
"""Name of the folder of model versions in the data folder."""

_OWNER_ONLY = 0o700


def data_folder(parameter: str) -> Path:
    """
    Return the path of the data folder, and create the folder if it is missing.

    A new folder is accessible to its user only, because it may contain camera pictures.  An
    existing folder keeps its permissions.

    Args:
        parameter: value of the node's parameter ``data_dir``, or of the command line's option; a
            leading '~' is the user's home.  '' means ``$ROS_HOME/edgetpu_retrain`` or, if ROS_HOME
            is not set, ``~/.ros/edgetpu_retrain``, as in rcl_logging of ROS 2 and in ROS 1
            (https://wiki.ros.org/ROS/EnvironmentVariables#ROS_HOME).

    Returns:
        An absolute path to an existing folder.

    Raises:
        StoreError: if the user has no home folder, or the folder cannot be created.
    """
    try:
        if parameter:
            wanted = Path(parameter)
        else:
            wanted = Path(os.environ.get('ROS_HOME') or '~/.ros') / FOLDER_NAME
        folder = wanted.expanduser().resolve()
        make_folder(folder, _OWNER_ONLY)
    except OSError as error:
        raise store_error('create the data folder', wanted, error) from error
    except (RuntimeError, ValueError) as error:
        # pathlib raises RuntimeError if there is no home folder, ValueError for a null character.
        raise StoreError(
            f'The data folder {parameter or "~/.ros"!r} cannot be found: {error}. '
            'What to do: set data_dir to the absolute path of a folder.'
        ) from error
    return folder
