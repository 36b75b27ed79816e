# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Deletes messages from the streams of a hub."""

from __future__ import annotations

import re

from edgetpu_retrain.errors import HubRefusedError
from edgetpu_retrain.fleet.hub.connection import Hub

# How nats-server responds for the number of a missing message depends on where the number is in
# the stream.  Between other messages: 10043 (other requests get 10037).  Before or after all
# messages: 10057 with one of these texts; with other texts, this is the code of a failing disk.
# The same from 2.9 to 2.15, see jsMsgDeleteRequest in
# https://github.com/nats-io/nats-server/blob/main/server/jetstream_api.go and errors.json there.
_NOT_FOUND_CODES = {10037, 10043}
_FAILED_CODE = 10057
_NOT_FOUND_WORDS = re.compile(r'no message found|deleted message|stream store EOF')


async def delete_message(hub: Hub, stream: str, sequence: int, *, overwrite: bool) -> bool:
    """
    Delete a message from a stream, if it is there.

    Args:
        hub: a connection with the station's key.
        stream: name of the stream.
        sequence: number of the message.
        overwrite: whether the hub overwrites the bytes on its disk.

    Returns:
        Whether the message was there.

    Raises:
        HubError: if the connection is lost, or the hub does not respond or cannot delete it.
    """
    try:
        await hub.api(f'STREAM.MSG.DELETE.{stream}', {'seq': sequence, 'no_erase': not overwrite})
    except HubRefusedError as error:
        if error.code in _NOT_FOUND_CODES:
            return False
        if error.code == _FAILED_CODE and _NOT_FOUND_WORDS.search(str(error)):
            return False
        raise
    return True
