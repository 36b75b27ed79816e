# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A member that names the subject of another one as the subject for the hub's reply.

NATS checks no permission for reply subjects, so the hub stores its reply there.
"""

from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.connection import connect, Hub
from edgetpu_retrain.fleet.hub.reports import read_reports, Report, SeenReport
from edgetpu_retrain.fleet.hub.streams import evidence_subject, report_subject
from support.hub_network import run, until
from support.hub_server import HubServer, TestCredentials
from support.online_member import prepare, SPACE

ADA, EVE = Key.generate(), Key.generate()
RIGHTS = {ADA.public: ['teach', 'release'], EVE.public: ['teach']}
OF_EVE = evidence_subject(SPACE.token, EVE.public, EVE.public)


async def put_acknowledgement(eve: Hub, subject: str) -> None:
    """Have the hub store an acknowledgement at any subject."""
    await eve.client.publish(OF_EVE, b'anything', subject)
    await eve.client.flush()


def test_nobody_reports_for_another(tmp_path: Path) -> None:
    """What is put in place of a report is not believed, and the next report is."""

    async def scenario(hub: HubServer) -> None:
        await prepare(hub)
        ada, eve = [await connect(hub.url, TestCredentials(key.seed)) for key in (ADA, EVE)]
        station = await connect(hub.url, hub.station_credentials)
        true = Report('Ada', 1000, version=3)
        false = Report('Ada', 2000, version=4)
        of_ada = report_subject(ADA.public, ADA.public)

        async def seen() -> SeenReport:
            (found,) = await read_reports(station)
            return found

        async def is_true() -> bool:
            return (await seen()).report == true

        async def is_unreadable() -> bool:
            return (await seen()).report is None

        for content in (b'', false.encode(EVE), false.encode(EVE).rpartition(b'\n')[0]):
            await ada.publish(of_ada, true.encode(ADA), '')
            await until(is_true)
            if content:
                await ada.publish_report(content)
            else:
                await put_acknowledgement(eve, of_ada)
            await until(is_unreadable)
        await ada.publish_report(true.encode(ADA))
        await until(is_true)
        for connection in (ada, eve, station):
            await connection.close()

    with HubServer(tmp_path / 'hub', RIGHTS) as hub:
        run(scenario(hub))
