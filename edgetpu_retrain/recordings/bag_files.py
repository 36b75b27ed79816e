# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Finds the storage files of a bag, with or without its metadata.yaml.

A recorder writes metadata.yaml last, so a recording that ended in a power loss has none.  The
storage files can be read without metadata.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from edgetpu_retrain.errors import RecordingError, RequestError
from edgetpu_retrain.wording import named, quoted

METADATA = 'metadata.yaml'
COMPRESSED = '.zstd'

_STORAGES = {'.mcap': 'mcap', '.db3': 'sqlite3'}

# The version of metadata.yaml in ROS 2 Kilted: rosbag2_storage/bag_metadata.hpp.
_NEWEST_VERSION = 9
_LARGEST_COUNT = 2**63


@dataclass(frozen=True)
class BagFiles:
    """
    The storage files of a bag, and what its metadata.yaml states.

    Args:
        storages: the storage format of each storage file, 'mcap' or 'sqlite3'.
        counts: number of messages of each topic according to metadata.yaml; empty if
            metadata.yaml is missing or not used.
        notes: problems with metadata.yaml and the storage files, as messages for the user.
    """

    storages: Mapping[Path, str]
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def is_bag(path: Path) -> bool:
    """Return whether a path is a bag of ROS 2 or ROS 1, according to its file names."""
    if path.is_dir():
        return (path / METADATA).is_file() or bool(_storage_files(path))
    return path.suffix == '.bag' or bool(_storage_of(path))


def find_bag_files(path: Path) -> BagFiles:
    """
    Find the storage files of a bag, and read its metadata.yaml.

    Args:
        path: the folder of the bag, or one storage file.

    Raises:
        RequestError: if the folder has no storage files.
        RecordingError: if the compression or the storage format is not supported.
    """
    if not path.is_dir():
        return BagFiles(_with_storages([path], ''))
    files = _storage_files(path)
    if not (path / METADATA).is_file():
        note = (
            f"{path} has no {METADATA}, which a recorder writes last ('ros2 bag reindex' writes "
            f'it, too): {_all_read(files)}'
        )
        return BagFiles(_with_storages(files, ''), notes=(note,))
    try:
        described = _read_metadata(path / METADATA)
    except (RecordingError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file may raise any exception
        note = f'{path / METADATA} is not used ({words_of(error)}): {_all_read(files)}'
        return BagFiles(_with_storages(files, ''), notes=(note,))
    listed = [path / name for name in described.names]
    notes = []
    if missing := [each.name for each in listed if not each.exists()]:
        notes.append(f'{path} lacks files that its {METADATA} names: {named(missing)}')
    if present := [each for each in listed if each.exists()]:
        others = [each.name for each in files if each not in present]
        if others:
            verb = 'are' if others[1:] else 'is'
            notes.append(f'{named(others)} in {path} {verb} not read: {METADATA} does not name it')
        files = present
    return BagFiles(_with_storages(files, described.storage), described.counts, tuple(notes))


@dataclass(frozen=True)
class _Metadata:
    names: list[str]
    storage: str
    counts: dict[str, int]


def _read_metadata(path: Path) -> _Metadata:
    """
    Read metadata.yaml.

    Raises:
        RecordingError: if the compression is not supported.
        Exception: of any type, if the file is damaged, or of a newer version.
    """
    import yaml

    content: Any = yaml.safe_load(path.read_text(encoding='utf-8'))
    if content is None:
        raise ValueError('it is empty')
    information = content['rosbag2_bagfile_information']
    if (version := information['version']) > _NEWEST_VERSION:
        raise ValueError(
            f'it has version {version}, and this release reads versions up to {_NEWEST_VERSION}'
        )
    compression = information.get('compression_format') or 'zstd'
    if compression != 'zstd':
        raise RecordingError(
            f'{path.parent} is compressed with {quoted(compression)}, and only zstd is read: '
            "convert it with 'ros2 bag convert'"
        )
    counts: dict[str, int] = {}
    for each in information['topics_with_message_count']:
        topic, count = each['topic_metadata']['name'], each['message_count']
        if type(count) is not int or not 0 <= count < _LARGEST_COUNT:
            raise ValueError(f'its number of messages is {count!a:.60}')
        counts[topic] = counts.get(topic, 0) + count
    return _Metadata(
        # Drop the folders of the paths: files outside of the bag's folder are not read.
        [PurePath(each).name for each in information['relative_file_paths']],
        str(information.get('storage_identifier')),
        counts,
    )


def _storage_files(folder: Path) -> list[Path]:
    """Return the storage files in a folder, except compressed ones whose unpacked copy exists."""
    files = [each for each in folder.glob('[!.]*') if _storage_of(each) and each.is_file()]
    unpacked = {each for each in files if each.suffix != COMPRESSED}
    return sorted(
        each for each in files if each in unpacked or each.with_suffix('') not in unpacked
    )


def _storage_of(path: Path) -> str:
    """Return the storage format of a file according to its ending; '' = another ending."""
    return _STORAGES.get(PurePath(path.name.removesuffix(COMPRESSED)).suffix, '')


def _with_storages(files: Iterable[Path], storage: str) -> dict[Path, str]:
    """
    Return the storage format of each file: according to its ending, or else ``storage``.

    Raises:
        RequestError: if there are no files.
        RecordingError: if a storage format is not supported.
    """
    storages = {each: _storage_of(each) or storage for each in files}
    if not storages:
        raise RequestError('a bag has .mcap or .db3 files, and there are none: check the path')
    for file, each in storages.items():
        if each not in _STORAGES.values():
            raise RecordingError(
                f'{file} is of the storage {quoted(each)}, and only mcap and sqlite3 are read: '
                "convert the bag with 'ros2 bag convert'"
            )
    return storages


def _all_read(files: list[Path]) -> str:
    return f'{named([each.name for each in files])} {"are" if files[1:] else "is"} read without it'


def words_of(error: Exception) -> str:
    """Return an exception's message as one line of at most 200 characters, or else its type."""
    return ' '.join(str(error).split())[:200] or type(error).__name__


def check_memory(error: Exception) -> None:
    """Raise MemoryError if an exception was caused by a lack of memory."""
    # apsw, with which rosbags reads sqlite3 storage, raises its own exception with this text.
    if isinstance(error, MemoryError) or str(error).endswith('out of memory'):
        raise MemoryError from error
