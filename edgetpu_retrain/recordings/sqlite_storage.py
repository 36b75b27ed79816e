# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""SqliteStorage: reads one untrusted .db3 file of a bag."""

from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.recordings.hostile_bag import check_tables
from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    MessageDefinition,
    MessageDefinitionFormat,
)
from rosbags.rosbag2.metadata import ReaderMetadata
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Reader

# The query of rosbags, without the columns that older versions of the tables lack.
_TOPICS = """
    SELECT topics.id, name, type, count(messages.id), serialization_format
    FROM topics LEFT JOIN messages ON topics.id == messages.topic_id
    GROUP BY topics.id ORDER BY topics.id
"""
_TIMES = 'SELECT MIN(timestamp), MAX(timestamp) + 1, COUNT(*) FROM messages'


class SqliteStorage(Sqlite3Reader):  # type: ignore[misc]
    """
    Reads a .db3 file that :func:`~edgetpu_retrain.recordings.hostile_bag.check_tables` accepts.

    QoS profiles and message definitions are ignored, because rosbags rejects files that contain an
    unknown one.
    """

    loss = ''
    """Always '', because a truncated file cannot be read at all."""

    cure = (
        'sqlite3 FILE .dump | sed "s/^ROLLBACK.*/COMMIT;/" | sqlite3 NEW.db3 may save what is '
        'left of a damaged file'
    )
    """Message for the user: how to repair a damaged file."""

    def __init__(self, path: Path) -> None:
        # rosbags makes its path a part of a URI, in which '#', '?' and '%' have other meanings.
        super().__init__(Path(path.absolute().as_uri().removeprefix('file://')))
        self._file = path

    def _open(self) -> None:
        check_tables(self._file)
        definition = MessageDefinition(MessageDefinitionFormat.NONE, '')
        self.connections = [
            Connection(
                number, topic, kind, definition, '', count, ConnectionExtRosbag2(form, []), self
            )
            for number, topic, kind, count, form in self.dbconn.execute(_TOPICS)
        ]
        ((start, end, count),) = self.dbconn.execute(_TIMES)
        if count:
            self.metadata = ReaderMetadata(end - start, start, end, count, None, None, None, None)
