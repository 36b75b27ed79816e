# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The command line of edgetpu_retrain_teach: starts and stops camera, retrain node and page together.

This program is an alternative to teach.launch.py that does not need ``ros2 launch``.  Without
options, the camera node publishes the photographs of the demo.  Camera, retrain node and page are
ordinary ROS nodes on the user's ROS domain.  The page prints its address; logs are written to
files.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
import math
import os
from pathlib import Path
import signal
import sys

from edgetpu_retrain.demo.scenes import IMAGE_TOPIC as PHOTOGRAPHS_TOPIC
from edgetpu_retrain.demo.scenes import SCENE_IN_TURN, TAUGHT
from edgetpu_retrain.processes.child_process import Processes
from edgetpu_retrain.processes.isolation import with_large_images, with_this_package
from edgetpu_retrain.processes.prerequisites import (
    config_folder,
    LARGE_IMAGES_PROFILE,
    require_modules,
)
from edgetpu_retrain.processes.program_error import ended_early, ProgramError

MAX_QUESTIONS = 50
"""The node's parameter max_questions; its default, 0, would leave the page without questions."""

_WEBCAM_TOPIC = '/webcam/image_raw'
_COMPRESSED = '/compressed'
_ROS_ARGUMENTS = '--ros-args'
_NEEDED = ('rclpy', 'edgetpu_retrain_interfaces', 'vision_msgs', 'aiohttp')


@dataclass(frozen=True)
class Source:
    """
    A source of images.

    Args:
        name: description of the source, to print.
        topic: topic of the images.
        program: module and arguments of the camera node; () = another program publishes the
            images.
        data_dir: folder of samples and models, relative to ROS_HOME.
    """

    name: str
    topic: str
    program: tuple[str, ...] = ()
    data_dir: str = 'edgetpu_retrain'


def source_of(options: argparse.Namespace) -> Source:
    """Return the source of the images: topic, webcam, video file or the demo's photographs."""
    if options.image_topic:
        return Source(f'the topic {options.image_topic}', options.image_topic)
    if options.camera:
        webcam = ('edgetpu_retrain.webcam.main', _ROS_ARGUMENTS)
        given = _parameters(source=options.camera, image_topic=_WEBCAM_TOPIC)
        return Source(f'camera {options.camera}', _WEBCAM_TOPIC, (*webcam, *given))
    camera = ('edgetpu_retrain.demo.camera_node', _ROS_ARGUMENTS)
    return Source(
        f'packaged photographs in turn, seven seconds each: {", ".join(TAUGHT)}.\n'
        'Teach the background (the empty table) and two of the others while they are shown',
        PHOTOGRAPHS_TOPIC,
        (*camera, *_parameters(scene=SCENE_IN_TURN)),
        # Samples of the photographs must not become part of the robot's own models.
        'edgetpu_retrain_photographs',
    )


def run(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT, SIGTERM or SIGHUP; return 0, or 1 if a process fails to start or ends."""
    try:
        options, of_page, of_node = _parse(sys.argv[1:] if arguments is None else arguments)
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Raise KeyboardInterrupt, as for SIGINT, so that Processes stops the children.
            signal.signal(number, signal.default_int_handler)
        run_until_one_ends(source_of(options), of_page, of_node)
    except ProgramError as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nNode, page and camera have ended.', file=sys.stderr)
    return 0


def run_until_one_ends(source: Source, of_page: Sequence[str], of_node: Sequence[str]) -> None:
    """
    Run camera, node and page until one ends.

    Args:
        source: the source of the images.
        of_page: arguments of the page.
        of_node: further arguments of the node, which begin with ``--ros-args``; () = none.

    Raises:
        ProgramError: if ROS is missing, or when one of the processes ends.
    """
    require_modules(_NEEDED, 'make teach')
    config = config_folder()
    ros_home = Path(os.environ.get('ROS_HOME') or Path.home() / '.ros').absolute()
    data_dir = ros_home / source.data_dir
    logs = ros_home / 'log' / 'teach'
    logs.mkdir(parents=True, exist_ok=True)
    environment = with_this_package(os.environ)
    python = (sys.executable, '-m')
    print(f'The camera is {source.name}.', flush=True)
    print(f'Samples and models are in {data_dir}, logs in {logs}. End with Ctrl-C.', flush=True)
    with Processes(logs) as processes:
        if source.program:
            large_images = with_large_images(environment, config / LARGE_IMAGES_PROFILE)
            # A profile that the user has set takes precedence.
            camera_environment = {**large_images, **environment}
            processes.start('camera', (*python, *source.program), camera_environment)
        node = (*python, 'edgetpu_retrain.node.main', _ROS_ARGUMENTS)
        file = ('--params-file', str(config / 'retrain.yaml'))
        parameters = _parameters(
            **{'camera.image_topic': source.topic.removesuffix(_COMPRESSED)},
            **{'camera.image_transport': _transport(source.topic)},
            data_dir=data_dir,
            max_questions=MAX_QUESTIONS,
        )
        processes.start('retrain_node', (*node, *file, *parameters, *of_node), environment)
        page = (*python, 'edgetpu_retrain.page.main', '--data-dir', str(data_dir), *of_page)
        processes.start('page', page, environment, show_output=True)
        ended = processes.wait_for_one(math.inf)
        assert ended is not None
        raise ended_early(ended)


def _transport(topic: str) -> str:
    return 'compressed' if topic.endswith(_COMPRESSED) else 'raw'


def _parameters(**values: object) -> list[str]:
    return [part for name, value in values.items() for part in ('-p', f'{name}:={value}')]


def _parse(given: Sequence[str]) -> tuple[argparse.Namespace, list[str], list[str]]:
    """Return the options, the arguments of the page, and the ROS arguments of the node."""
    parser = argparse.ArgumentParser(
        prog='edgetpu_retrain_teach',
        description='Start the retrain node, the teaching page and, unless another program '
        'publishes images, a camera: without options the photographs of the demo.',
        epilog='Other options are those of the page, such as --lan and --port '
        '(ros2 run edgetpu_retrain page --help); what follows --ros-args is for the node.',
        allow_abbrev=False,
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument('--camera', help='a webcam, such as 0 or /dev/video0, or a video file')
    source.add_argument('--image-topic', help='topic of a camera that is running')
    split = given.index(_ROS_ARGUMENTS) if _ROS_ARGUMENTS in given else len(given)
    options, of_page = parser.parse_known_args(given[:split])
    return options, of_page, list(given[split:])
