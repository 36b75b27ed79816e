# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Ledger: the packs, claims, samples and roster of a fleet, stored on disk."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.pack import decode, MAX_PACK_BYTES, Payload, peek
from edgetpu_retrain.fleet.ledger import contested, overview, sealing
from edgetpu_retrain.fleet.ledger.evidence import FleetEvidence, read_evidence
from edgetpu_retrain.fleet.ledger.hubs import hub_record
from edgetpu_retrain.fleet.ledger.hubs.hub_record import HubRecord
from edgetpu_retrain.fleet.ledger.hubs.rereading import note_dropped
from edgetpu_retrain.fleet.ledger.ledger_file import LedgerFile
from edgetpu_retrain.fleet.ledger.receiving import Receipt, Storing
from edgetpu_retrain.fleet.ledger.samples import (
    drop_others,
    lacks,
    message_of,
    pack_row,
    payload_of,
)
from edgetpu_retrain.fleet.ledger.sealing import Draft


class Ledger(LedgerFile):
    """
    The packs, claims, samples and roster of a fleet; all methods are thread-safe.

    When a method returns, what it stored is on disk.

    The arguments and the errors are those of :class:`LedgerFile`.
    """

    # Packs

    def receive(
        self,
        message: bytes,
        *,
        hub: str = '',
        sequence: int = 0,
        received_ms: int = 0,
        origin: str = '',
    ) -> Receipt:
        """
        Store a received pack, or add the sample bytes that a stored pack lacks.

        The pack is not stored if the message is not valid, or if too many packs wait, see
        receiving.MAX_WAITING_PACKS.

        Args:
            message: untrusted bytes.
            hub: name of the hub that the message came from; '' = none.
            sequence: number of the message in the hub's stream.
            received_ms: when the hub received the message, milliseconds since 1970; 0 = not known.
            origin: public key in the subject of the message; '' = not known.  If another key has
                signed the pack, the pack is recorded as still missing at the hub, because a member
                that reads only its own packs does not find it on this subject.

        Returns:
            Whether the pack is stored and counts, and if not, the reason.

        Raises:
            StoreError: if the disk fails; then receive the message again.
        """
        digest = b''
        try:
            digest = peek(message).hash
            if self._is_known(digest, hub, sequence, received_ms):
                return Receipt('known', '', digest)
            pack, payloads = decode(message, self.space)
            with self._database.transaction('store a pack in') as connection:
                storing = Storing(connection, self._judge(connection))
                receipt = storing.receive(pack, payloads, len(message))
                row = pack_row(connection, digest)
                if hub and row is None:
                    note_dropped(connection, hub, pack.origin, sequence)
                elif hub and row is not None:
                    hub_record.note(
                        connection,
                        hub,
                        sequence,
                        row,
                        received_ms=received_ms,
                        payloads=payloads,
                        complete=origin in ('', pack.origin)
                        and not lacks(connection, row, payloads),
                    )
        except PackError as error:
            self._refused[error.kind] += 1
            return Receipt('refused', str(error), digest)
        if storing.has_erased:
            self._database.empty_log()
        if receipt.outcome == 'accepted':
            self._clock.observe(max(claim.clock for claim in pack.claims))
        return receipt

    def message(self, digest: bytes) -> bytes:
        """
        Return a pack as a message, with all bytes of its samples that are here.

        If the message would be too large, it has no thumbnails.

        Args:
            digest: hash of the pack.

        Raises:
            KeyError: if the pack is not here.
        """
        with self._database.looking('read a pack of') as connection:
            row = pack_row(connection, digest)
            if row is None:
                raise KeyError(digest)
            return message_of(connection, row)

    def drop_others(self) -> None:
        """
        Delete the packs of other members, because this robot no longer reads them.

        A chain is kept if it has a pack that no hub is known to have.
        """
        with self._database.transaction('delete packs of') as connection:
            has_dropped = drop_others(connection, self.me)
        if has_dropped:
            self._database.empty_log()

    def hub(self, name: str) -> HubRecord:
        """Return the record of a hub: how far its stream was read, and which packs it lacks."""
        return HubRecord(self._database, name, self.me)

    # Own claims

    def claim(self, drafts: Iterable[Draft]) -> None:
        """
        Store claims of this robot, which are sealed later.

        Raises:
            PackError: if a claim is not valid; then none is stored.
        """
        drafts = list(drafts)
        for draft in drafts:
            sealing.check_draft(draft, self.space)
        with self._database.transaction('store claims in') as connection:
            has_erased = sealing.store_drafts(
                connection, drafts, self._clock, self._judge(connection)
            )
        if has_erased:
            self._database.empty_log()

    def own_claims(self) -> dict[bytes, Claim]:
        """
        Return the current claim of this robot about each sample, sealed or not.

        The current claim is the last one made with this database.  If there is none, it is the
        latest claim of this robot's key that came from a hub: made before the database was
        restored or lost, or by another robot with the same key.  Claims made here take precedence,
        because two robots with one key would otherwise override each other endlessly.  Claims in
        packs after a gap or from a fork on are left out, so that they are made again.
        """
        with self._database.looking('read the own claims of') as connection:
            return sealing.own_claims(connection, self.me)

    @property
    def unsealed_count(self) -> int:
        """Number of own claims that are not sealed yet."""
        with self._database.looking('count the claims of') as connection:
            return sealing.num_unsealed(connection)

    @property
    def unpublished_count(self) -> int:
        """Number of own claims, sealed or not, that no hub is known to have."""
        with self._database.looking('count the claims of') as connection:
            return sealing.num_unsealed(connection) + hub_record.num_unpublished(
                connection, self.me
            )

    def seal(self, key: Key, max_bytes: int = MAX_PACK_BYTES) -> list[bytes]:
        """
        Seal all own claims that are not sealed yet, and store the packs.

        Call it only after the stream of a hub has been read to its end.  Only then is it known
        whether this database was restored from an earlier copy, which requires a new epoch.

        Args:
            key: the key of this robot.
            max_bytes: the maximum length of a message that the hub accepts.

        Returns:
            Hashes of the new packs.

        Raises:
            PackError: if a single sample is too large for a message.
        """
        digests: list[bytes] = []
        while True:
            with self._database.transaction('seal claims in') as connection:
                sealed = sealing.seal_next(connection, key, self.space, max_bytes)
                if sealed is None:
                    return digests
                pack, payloads = sealed
                size = len(pack.manifest) + sum(
                    len(embedding) + len(jpeg or b'') for embedding, jpeg in payloads.values()
                )
                storing = Storing(connection, self._judge(connection))
                storing.store(pack, payloads, size, sealed_here=True)
            digests.append(pack.hash)

    @property
    def epoch(self) -> str:
        """The epoch in which this robot seals its claims; '' = it has sealed nothing yet."""
        with self._database.looking('read the epoch of') as connection:
            return sealing.own_epoch(connection, self.me)

    # Queries

    def evidence(self, *, own: bool, without: Collection[str] = ()) -> FleetEvidence:
        """
        Return the samples whose label a teacher decides.

        Args:
            own: whether to also include samples whose label this robot decides, whatever its role.
            without: public keys of other members, whose claims are ignored.
        """
        with self._database.reading('read the samples of') as connection:
            judge = self._judge(connection, own=own)
            if judge.roster is not None and without:
                members = judge.roster.members
                believed = tuple(member for member in members if member.key not in without)
                judge = judge._replace(roster=replace(judge.roster, members=believed))
            return read_evidence(connection, self.space, judge, self._latest)

    def proposals(self, limit: int = 1000) -> list[contested.Contested]:
        """Return at most ``limit`` samples that wait for a teacher; see :mod:`.contested`."""
        with self._database.reading('read the proposals of') as connection:
            judge = self._judge(connection, own=False)
            return contested.proposals(connection, judge, self._latest, limit)

    def disagreements(self, limit: int = 1000) -> list[contested.Contested]:
        """Return at most ``limit`` samples that teachers disagree on; see :mod:`.contested`."""
        with self._database.reading('read the disagreements of') as connection:
            judge = self._judge(connection, own=False)
            return contested.disagreements(connection, judge, self._latest, limit)

    def payload(self, sample: bytes) -> Payload | None:
        """Return the bytes of a sample; None if they are not here."""
        with self._database.looking('read a sample of') as connection:
            return payload_of(connection, sample)

    def quarantine(self) -> list[overview.Quarantined]:
        """Return how many packs do not count, by key, epoch and reason."""
        with self._database.reading('read the quarantine of') as connection:
            return overview.quarantine(connection, self._judge(connection).roster)

    @property
    def refused(self) -> dict[str, int]:
        """Number of invalid messages since the ledger was opened, by kind of their PackError."""
        return dict(self._refused)

    def frontier(self) -> dict[str, dict[str, list[object]]]:
        """Return the last pack that counts, by key and epoch; see :mod:`.overview`."""
        with self._database.reading('read the packs of') as connection:
            return overview.frontier(connection, self._judge(connection, own=False))

    def dump(self) -> str:
        """Return all packs that count, and the label of each sample, as text."""
        with self._database.reading('read') as connection:
            return overview.dump(connection, self._judge(connection, own=False), self._latest)

    def _is_known(self, digest: bytes, hub: str, sequence: int, received_ms: int) -> bool:
        """Return whether a message has nothing new; if so, note that the hub has the message."""
        with self._database.looking('read a pack of') as connection:
            found = connection.execute(
                'SELECT id FROM packs WHERE hash = ? AND whole', (digest,)
            ).fetchone()
            if found is None or (hub and not hub_record.has(connection, hub, *found)):
                return False
            if not hub or hub_record.has_message(connection, hub, sequence, *found):
                return True
            if hub_record.erased_samples(connection, *found):
                return False  # The message may have bytes that the hub must delete.
        with self._database.transaction('note a pack in') as connection:
            hub_record.note(
                connection, hub, sequence, *found, received_ms=received_ms, complete=False
            )
        return True
