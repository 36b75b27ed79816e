# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line of replay, and its ROS node."""

from __future__ import annotations

from contextlib import ExitStack
import math
from pathlib import Path
import sys

import click
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.exit_codes import CALL_WAS_WRONG, print_error, run_command
import edgetpu_retrain.needs_ros  # noqa: F401
from edgetpu_retrain.processes.joining import initializing, joining_domain
from edgetpu_retrain.recordings.image_bag import BagPart, picture_topics
from edgetpu_retrain.replay.replay import Replay
from edgetpu_retrain.wording import counted, presentable, sentence
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.utilities import remove_ros_args

_NODE_NAME = 'replay'
_RETRAIN_NODE = '/edgetpu_retrain'


@click.command(context_settings={'help_option_names': ['-h', '--help'], 'max_content_width': 100})
@click.argument('bag', type=click.Path(path_type=Path))
@click.option(
    '--topic',
    'topics',
    multiple=True,
    help='Image topic; can be repeated.  [default: all image topics]',
)
@click.option(
    '--rate', type=float, default=1.0, show_default=True, help='Speed relative to the recording.'
)
@click.option('--from', 'from_s', type=float, default=0.0, help='Start this many seconds in.')
@click.option('--to', 'to_s', type=float, default=math.inf, help='End this many seconds in.')
@click.option('--loop', is_flag=True, help='Start again at the end, until interrupted.')
@click.option(
    '--node',
    'nodes',
    multiple=True,
    default=[_RETRAIN_NODE],
    show_default=True,
    help='Start when the node with this full name subscribes to each topic; can be repeated.',
)
@click.option(
    '--listeners',
    type=click.IntRange(min=0),
    help='Start when each topic has this many subscriptions of any nodes, instead of --node.',
)
def replay(
    bag: Path,
    topics: tuple[str, ...],
    rate: float,
    from_s: float,
    to_s: float,
    loop: bool,
    nodes: tuple[str, ...],
    listeners: int | None,
) -> None:
    """
    Publish the images of BAG, a rosbag2 bag (mcap or sqlite3), as a camera would.

    The images keep their recorded stamps and, at --rate 1, their recorded timing.  No other topics
    are published, so that recorded commands do not move a robot.
    """
    if not 0.01 <= rate <= 1000.0:
        raise RequestError(f'rate is {rate:g}: give one from 0.01 to 1000; 1 is as recorded')
    # If the bag has no image topic, opening the topic '' raises an error that lists all topics.
    parts = [BagPart(topic, from_s, to_s) for topic in topics or picture_topics(bag) or ('',)]
    with ExitStack() as stack:
        with joining_domain():
            node = rclpy.create_node(_NODE_NAME)
        stack.callback(node.destroy_node)
        recording = Replay(node, bag, parts, stack)
        log = node.get_logger().info
        for topic, count in recording.topics.items():
            images = counted(count, 'image', 'images')
            log(presentable(f'{bag} has {images} for {topic}'))
        for note in recording.notes:
            node.get_logger().warning(presentable(sentence(note)))
        if listeners is None:
            log(f'waiting for {" and ".join(nodes)} to subscribe')
            recording.wait_for_nodes(nodes)
        elif listeners:
            log(f'waiting for {counted(listeners, "subscription", "subscriptions")}')
            recording.wait_for_listeners(listeners)
        log(f'playing at {rate:g} times the speed of the recording')
        played = recording.play(rate)
        while loop:
            log(f'played {counted(played, "image", "images")}; again')
            played = recording.play(rate)
        log(f'played {counted(played, "image", "images")}: done')
        log(presentable(recording.summary()))


def run(arguments: list[str] | None = None) -> int:
    """
    Play a bag.

    Args:
        arguments: the command line, including ROS arguments; None = that of this process.

    Returns:
        The exit code: 0 (also after a signal), 1 if the bag cannot be read or the middleware
        rejects the node, 2 if an argument is wrong, such as the path of the bag.
    """
    given = sys.argv if arguments is None else [_NODE_NAME, *arguments]
    try:
        with initializing():
            rclpy.init(args=given)
    except RequestError as error:
        print_error(error)
        return CALL_WAS_WRONG
    except KeyboardInterrupt:
        return 0
    try:
        return run_command(replay, remove_ros_args(given)[1:])
    except (click.exceptions.Abort, KeyboardInterrupt, ExternalShutdownException):
        return 0
    except Exception:
        # A signal can shut ROS down at any time; calls to rclpy then fail.
        if rclpy.ok():
            raise
        return 0
    finally:
        rclpy.try_shutdown()
