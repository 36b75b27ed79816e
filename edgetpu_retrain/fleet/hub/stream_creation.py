# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Creates the streams of a hub, when its station starts."""

from __future__ import annotations

from edgetpu_retrain.errors import HubDeniedError, HubRefusedError
from edgetpu_retrain.fleet.hub.connection import Hub
from edgetpu_retrain.fleet.hub.streams import (
    EVIDENCE,
    RELEASE_BYTES,
    RELEASES,
    REPORT_BYTES,
    REPORTS,
    ROSTER,
    ROSTER_BYTES,
    STREAMS,
)

# JSStreamNameExistErrF: https://github.com/nats-io/nats-server/blob/main/server/errors.json
_EXISTS_OTHERWISE = 10058


async def create_streams(hub: Hub, evidence_bytes: int) -> None:
    """
    Create the streams, or update the configuration of existing ones.

    Args:
        hub: a connection with the station's key.
        evidence_bytes: maximum size of the evidence in the hub, bytes; -1 = no limit.

    Raises:
        HubDeniedError: if the key may not create streams.
        HubError: if JetStream is off, or the hub refuses a stream or does not respond.
    """
    limits = {
        EVIDENCE: evidence_bytes,
        ROSTER: ROSTER_BYTES,
        RELEASES: RELEASE_BYTES,
        REPORTS: REPORT_BYTES,
    }
    for name, limit in limits.items():
        configuration = STREAMS[name].configuration(limit)
        try:
            await hub.api(f'STREAM.CREATE.{name}', configuration)
        except HubDeniedError as error:
            raise HubDeniedError(
                f'the hub at {hub.url} does not let this key create the stream {name}: if another '
                "nats-server listens there, end it, and start 'edgetpu_retrain fleet serve' again"
            ) from error
        except HubRefusedError as error:
            if error.code != _EXISTS_OTHERWISE:
                raise
            await hub.api(f'STREAM.UPDATE.{name}', configuration)
