# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the releases of a hub, and deletes those that no robot takes any more."""

from __future__ import annotations

import contextlib

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.hub.connection import Hub
from edgetpu_retrain.fleet.hub.message_deletion import delete_message
from edgetpu_retrain.fleet.hub.stream_reader import open_reader
from edgetpu_retrain.fleet.hub.streams import RELEASES
from edgetpu_retrain.fleet.releases.release import decode, is_from_publisher, Promotion, Release
from edgetpu_retrain.fleet.releases.staging import still_used
from edgetpu_retrain.fleet.roster.roster import Roster


async def read_releases(
    hub: Hub, space: EmbeddingSpace, roster: Roster
) -> dict[int, Release | Promotion]:
    """
    Return the valid releases and promotions of a hub, by their sequence number in the stream.

    Args:
        hub: a connection.
        space: the embedding space; messages for other spaces are not read.
        roster: the newest roster.

    Raises:
        HubError: if the connection is lost, or the hub does not respond.
    """
    found = {}
    reader = await open_reader(hub, RELEASES, f'release.{space.token}.*', 1)
    async for message in reader.read_present():
        with contextlib.suppress(FleetError):
            found[message.sequence] = decode(message.data, roster, space)
    await reader.close()
    return found


async def delete_unused_releases(hub: Hub, space: EmbeddingSpace, roster: Roster) -> int:
    """
    Delete old releases and promotions from a hub, and messages that no authorized member signed.

    Nothing else deletes messages of this stream: a full stream rejects new messages, so that no
    member can displace the releases of another.

    Args:
        hub: a connection with the station's key.
        space: the embedding space; old releases for other spaces are kept.
        roster: the newest roster.

    Returns:
        Number of messages that were deleted.

    Raises:
        HubError: if the connection is lost, or the hub does not respond.
    """
    releases = await read_releases(hub, space, roster)
    used = set(map(id, still_used(releases.values())))
    unused = {number for number, each in releases.items() if id(each) not in used}
    # Read all subjects: a member can make the hub store the hub's own responses on any subject of
    # the stream, see hub/streams.py.
    reader = await open_reader(hub, RELEASES, '>', 1)
    async for message in reader.read_present():
        if not is_from_publisher(message.data, roster):
            unused.add(message.sequence)
    await reader.close()
    # Another command may delete the same messages at the same time.
    deleted = 0
    for number in sorted(unused):
        deleted += await delete_message(hub, RELEASES, number, overwrite=False)
    return deleted
