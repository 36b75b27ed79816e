# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Stores samples, deletes the packs of other members, and encodes stored packs as messages."""

from __future__ import annotations

from collections.abc import Mapping
import hashlib
import sqlite3

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.pack import encode, Pack, Payload


def sample_row(connection: sqlite3.Connection, sample: bytes, payload: Payload | None) -> int:
    """Return a sample's row, created if missing; add missing bytes unless the sample is erased."""
    found = connection.execute(
        'SELECT id, erased OR (embedding NOT NULL AND jpeg NOT NULL) FROM samples '
        'WHERE sample = ?',
        (sample,),
    ).fetchone()
    embedding, jpeg = payload or (None, None)
    if found is None:
        cursor = connection.execute(
            'INSERT INTO samples (sample, embedding, jpeg) VALUES (?, ?, ?)',
            (sample, embedding, jpeg),
        )
        return int(cursor.lastrowid or 0)
    row, is_complete = found
    if not is_complete and payload is not None:
        connection.execute(
            'UPDATE samples SET embedding = COALESCE(embedding, ?), jpeg = COALESCE(jpeg, ?) '
            'WHERE id = ?',
            (embedding, jpeg, row),
        )
    return int(row)


def pack_row(connection: sqlite3.Connection, digest: bytes) -> int | None:
    """Return the row of a pack; None if the pack is not stored."""
    found = connection.execute('SELECT id FROM packs WHERE hash = ?', (digest,)).fetchone()
    return found and int(found[0])


def payload_of(connection: sqlite3.Connection, sample: bytes) -> Payload | None:
    """Return the bytes of a sample; None if they are not here."""
    row = connection.execute(
        'SELECT embedding, jpeg FROM samples WHERE sample = ?', (sample,)
    ).fetchone()
    return Payload(*row) if row is not None and row[0] is not None else None


def lacks(connection: sqlite3.Connection, pack: int, payloads: Mapping[bytes, Payload]) -> bool:
    """Return whether :func:`message_of` a pack has bytes that are not in ``payloads``."""
    rows = connection.execute(
        'SELECT sample, jpeg IS NOT NULL FROM samples WHERE embedding IS NOT NULL AND id IN '
        '(SELECT sample FROM claims WHERE pack = ? AND brought)',
        (pack,),
    )
    if not any(
        sample not in payloads or (has_jpeg and payloads[sample].jpeg is None)
        for sample, has_jpeg in rows
    ):
        return False
    # A thumbnail that is here may not belong in the message.
    _, here = _message_and_payloads(connection, pack)
    return any(
        sample not in payloads or (payload.jpeg is not None and payloads[sample].jpeg is None)
        for sample, payload in here.items()
    )


def message_of(connection: sqlite3.Connection, pack: int) -> bytes:
    """
    Return a pack as a message, with all bytes of its samples that are here.

    If the message would be too large, it has no thumbnails.

    Raises:
        PackError: of kind 'too large' if the message would be too large even without thumbnails.
    """
    message, _ = _message_and_payloads(connection, pack)
    return message


def _message_and_payloads(
    connection: sqlite3.Connection, pack: int
) -> tuple[bytes, dict[bytes, Payload]]:
    signed = Pack.from_manifest(
        *connection.execute(
            'SELECT manifest, signature FROM packs WHERE id = ?', (pack,)
        ).fetchone()
    )
    rows = connection.execute(
        'SELECT sample, embedding, jpeg FROM samples WHERE embedding IS NOT NULL AND id IN '
        '(SELECT sample FROM claims WHERE pack = ? AND brought)',
        (pack,),
    )
    payloads = {}
    for sample, embedding, jpeg in rows:
        # Another pack may have brought the same sample with another thumbnail.
        digest = jpeg and hashlib.sha256(jpeg).digest()
        is_signed = digest == signed.pictures.get(sample)
        payloads[sample] = Payload(embedding, jpeg if is_signed else None)
    try:
        return encode(signed, payloads), payloads
    except PackError as error:
        if error.kind != 'too large':
            raise
    # Thumbnails that came with other packs may be too many for this one.
    payloads = {sample: Payload(payload.embedding) for sample, payload in payloads.items()}
    return encode(signed, payloads), payloads


def drop_others(connection: sqlite3.Connection, me: str) -> bool:
    """
    Delete the chains of other members, with the samples that only these chains contain.

    A robot that does not read the packs of others does not learn of erasures either, so it must
    not keep their samples.  A chain with a pack that no hub is known to have stays: this may be
    the last copy of the pack.

    Args:
        connection: the connection of a transaction.
        me: public key of this robot.

    Returns:
        Whether anything was deleted.  If so, the records of all hubs were deleted, too, and their
        streams will be read from the beginning.
    """
    chains = connection.execute(
        'SELECT id FROM chains WHERE origin != ? AND NOT EXISTS ('
        'SELECT 1 FROM packs WHERE chain = chains.id AND NOT EXISTS ('
        'SELECT 1 FROM hub_messages WHERE pack = packs.id AND complete))',
        (me,),
    ).fetchall()
    if not chains:
        return False
    for statement in (
        'DELETE FROM claims WHERE pack IN (SELECT id FROM packs WHERE chain = ?)',
        'DELETE FROM packs WHERE chain = ?',
        'DELETE FROM chains WHERE id = ?',
    ):
        connection.executemany(statement, chains)
    for table in ('hubs', 'hub_messages', 'dropped'):
        connection.execute(f'DELETE FROM {table}')  # noqa: S608
    connection.execute(
        'DELETE FROM samples '
        'WHERE id NOT IN (SELECT sample FROM claims UNION SELECT sample FROM drafts)'
    )
    connection.execute(
        'UPDATE samples SET embedding = NULL, jpeg = NULL WHERE id NOT IN ('
        'SELECT sample FROM claims WHERE brought UNION SELECT sample FROM drafts WHERE brought)'
    )
    return True
