# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The tables of fleet.db.

The manifest of each pack is stored as it was signed.  A sample is stored once, even if several
packs contain it, so that erasing it deletes its bytes from all of them.  Whether a pack counts is
stored with the pack.  Whether a claim in it counts is decided from the roster when the claim is
read.
"""

from __future__ import annotations

APPLICATION_ID = 0x65747246
"""Identifies these files among SQLite files: 'etrF' in ASCII."""

SCHEMA_VERSION = 1

ANY_NUMBER = 2**62
"""In ``chains.kept``: the roster accepts all packs.  Greater than any pack's number or row."""

TABLES = (
    """
    CREATE TABLE facts (
        name TEXT PRIMARY KEY,              -- 'space', 'roster', 'epoch ' and a key,
                                            -- 'received ' and the hash of a pack
        value BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE chains (
        id INTEGER PRIMARY KEY,
        origin TEXT NOT NULL,               -- public key that signed the packs
        epoch TEXT NOT NULL,
        linked INTEGER NOT NULL DEFAULT 0,  -- packs from number 0 to a gap or fork
        forked INTEGER,                     -- smallest number that two packs have; NULL = none
        kept INTEGER NOT NULL,              -- packs from number 0 that the roster accepts
        UNIQUE (origin, epoch)
    ) STRICT
    """,
    """
    CREATE TABLE packs (
        id INTEGER PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE,          -- SHA-256 of the manifest
        chain INTEGER NOT NULL REFERENCES chains (id),
        number INTEGER NOT NULL,
        previous BLOB NOT NULL,             -- hash of the previous pack
        first_sequence INTEGER NOT NULL,    -- of its claims
        next_sequence INTEGER NOT NULL,
        bytes INTEGER NOT NULL,             -- length of the message in which it came
        sealed_here INTEGER NOT NULL,       -- 0 = received
        counts INTEGER NOT NULL DEFAULT 0,  -- 1 = its claims count, see chains.py
        whole INTEGER NOT NULL DEFAULT 0,   -- 1 = all its bytes came in one message
        signature BLOB NOT NULL,
        manifest BLOB NOT NULL
    ) STRICT
    """,
    'CREATE INDEX packs_of_chain ON packs (chain, number)',
    """
    CREATE TABLE samples (
        id INTEGER PRIMARY KEY,
        sample BLOB NOT NULL UNIQUE,        -- id in the fleet
        erased INTEGER NOT NULL DEFAULT 0,  -- 1 = its bytes must not be here
        embedding BLOB,                     -- NULL = not received yet, or erased
        jpeg BLOB                           -- NULL = no thumbnail here
    ) STRICT
    """,
    """
    CREATE TABLE claims (
        pack INTEGER NOT NULL REFERENCES packs (id),
        position INTEGER NOT NULL,          -- in the pack
        sample INTEGER NOT NULL REFERENCES samples (id),
        label TEXT NOT NULL,                -- '' = tombstone
        recording TEXT NOT NULL,
        clock INTEGER NOT NULL,
        erased INTEGER NOT NULL,
        brought INTEGER NOT NULL,           -- 1 = the pack came with the bytes of the sample
        PRIMARY KEY (pack, position)
    ) STRICT, WITHOUT ROWID
    """,
    'CREATE INDEX claims_of_sample ON claims (sample)',
    """
    CREATE TABLE drafts (                   -- own claims that are not in a pack yet
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        sample INTEGER NOT NULL REFERENCES samples (id),
        label TEXT NOT NULL,
        recording TEXT NOT NULL,
        clock INTEGER NOT NULL,
        erased INTEGER NOT NULL,
        brought INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE hubs (
        hub TEXT PRIMARY KEY,
        sequence INTEGER NOT NULL DEFAULT 0,    -- up to which its stream was read
        mark BLOB,                              -- digest of the message there; NULL = not known
        reread INTEGER,                         -- sequence from which to read again
        until_pack INTEGER NOT NULL DEFAULT 0   -- row up to which no pack is missing there
    ) STRICT
    """,
    """
    CREATE TABLE hub_messages (             -- the packs in the stream of each hub
        hub TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        pack INTEGER NOT NULL REFERENCES packs (id),
        received_ms INTEGER NOT NULL,       -- by the hub, milliseconds since 1970; 0 = not known
        complete INTEGER NOT NULL,          -- 1 = it has all bytes that are here
        erased INTEGER NOT NULL,            -- 1 = it may have bytes of an erased sample
        PRIMARY KEY (hub, sequence)
    ) STRICT, WITHOUT ROWID
    """,
    'CREATE INDEX messages_of_pack ON hub_messages (pack, hub)',
    """
    CREATE TABLE dropped (                  -- packs not stored, because too many wait
        hub TEXT NOT NULL,
        origin TEXT NOT NULL,
        sequence INTEGER NOT NULL,          -- of the first one
        PRIMARY KEY (hub, origin)
    ) STRICT, WITHOUT ROWID
    """,
)
