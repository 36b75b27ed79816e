# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Creates the streams of a hub, when the base station starts."""

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
    Create the streams, or update the configuration of existing ones.

    Args:
        hub: a connection with the station's key.
        evidence_bytes: maximum size of the evidence in the hub, bytes; -1 = no limit.

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
        except HubRefusedError:  # The stream exists with another configuration.
            await hub.api(f'STREAM.UPDATE.{name}', configuration)
