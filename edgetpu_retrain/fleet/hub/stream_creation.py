# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Creates the streams of a hub: what the base station does when it starts."""

from __future__ import annotations

from edgetpu_retrain.errors import HubRefusedError
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


async def create_streams(hub: Hub, evidence_bytes: int) -> None:
    """
    Create the streams, or change the limits of those that are there.

    Args:
        hub: a connection with the station's key.
        evidence_bytes: how much evidence the hub keeps; -1 = as much as its disk allows.

    Raises:
        HubError: if JetStream is off, the key may not do this, or the hub does not respond.
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
        except HubRefusedError:  # It is there with other limits.
            await hub.api(f'STREAM.UPDATE.{name}', configuration)
