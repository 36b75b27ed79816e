# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages about captures: what was added, and why samples are missing."""

from __future__ import annotations

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.frames.captures import Capture
from edgetpu_retrain.node.resources import NodeResources
from edgetpu_retrain.wording import counted, named, TIME_IS_UP

_MOVE = 'Move the camera, or what it sees, to other views: copies teach nothing'


def capture_result(capture: Capture, resources: NodeResources) -> str:
    """
    Return the message about a capture that has ended.

    Args:
        capture: the capture.
        resources: the resources of the node.

    Raises:
        RequestError: if samples are missing for another reason than near copies.
    """
    wanted = capture.wanted
    if capture.stored == wanted.count:
        samples = counted(capture.stored, 'sample', 'samples')
        return f'{samples} of {wanted.label!r} added{_near_copies(capture.skipped)}'
    if capture.stored + capture.skipped < wanted.count:
        raise RequestError(_why_incomplete(capture, resources))
    # Samples are missing only because frames were near copies.
    return f'{_so_far(capture)}. {_MOVE}'


def why_closed(camera: str, resources: NodeResources) -> str:
    """
    Return why a camera is not open; '' if it is open, or the node does not know its name.

    Args:
        camera: name of the camera; '' = all cameras, of which one that is open is enough.
        resources: the resources of the node.
    """
    all_names = resources.parameters.camera_names
    names = [camera] if camera else list(all_names)
    if not set(names) <= set(all_names) - set(resources.topics):
        return ''
    if problems := ' '.join(filter(None, map(resources.camera_problem, names))):
        return problems
    switches = named([f'{name}.active' for name in names])
    return f'The node does not listen to camera {named(names)}: set {switches} to true'


def _why_incomplete(capture: Capture, resources: NodeResources) -> str:
    wanted = capture.wanted
    # Its cameras may have been switched off while the request waited for their frames.
    if closed := why_closed(wanted.camera, resources):
        return f'{_so_far(capture)}. {closed}'
    names = [wanted.camera] if wanted.camera else list(resources.topics)
    topics = ', '.join(resources.topics[name] for name in names)
    problems = [resources.camera_problem(name, capture.since) for name in names]
    if any(problems):
        why = f'. {" ".join(filter(None, problems))}'
    elif capture.settled:
        why = '; ask for fewer frames, a shorter min_interval_s or a longer timeout_s'
    else:
        why = f'; no usable image came on {topics}: check the camera with ros2 topic hz'
    return f'{_so_far(capture)}{why}'


def _so_far(capture: Capture) -> str:
    wanted = capture.wanted
    return (
        f'{TIME_IS_UP} after {wanted.timeout_s:g} s: {capture.stored} of {wanted.count} samples '
        f'of {wanted.label!r} were added{_near_copies(capture.skipped)}'
    )


def _near_copies(count: int) -> str:
    if not count:
        return ''
    frames = counted(count, 'frame was a near copy', 'frames were near copies')
    return f'; {frames} of its samples and not stored'
