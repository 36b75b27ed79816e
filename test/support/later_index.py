# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A package index at a later time: a tiny wheel of each locked package, and of a later release.

Each wheel requires the next one with an extra, as pytest-cov requires coverage[toml]: then some
releases of pip look for the newest one in spite of pins.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
import hashlib
from pathlib import Path
import re
import zipfile

LATER = '99.0'


def wheel_name(name: str, version: str) -> str:
    """Return the file name of a pure wheel (PEP 427)."""
    return f'{re.sub(r"[-_.]+", "_", name)}-{version}-py3-none-any.whl'


def write_wheel(
    path: Path, name: str, version: str, *, requires: str, files: Mapping[str, str]
) -> str:
    """Write a wheel, and return its SHA-256 in hexadecimal digits."""
    information = f'{path.name.rsplit("-py3", 1)[0]}.dist-info'
    contents = {
        **files,
        f'{information}/METADATA': f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n'
        f'Provides-Extra: odd\nRequires-Dist: {requires}[odd]\n',
        f'{information}/WHEEL': 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n'
        'Tag: py3-none-any\n',
    }
    record = ''
    with zipfile.ZipFile(path, 'w') as archive:
        for member, text in contents.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            record += f'{member},sha256={digest.decode().rstrip("=")},{len(text.encode())}\n'
            entry = zipfile.ZipInfo(member)
            entry.external_attr = 0o100755 << 16  # scripts must be executable
            archive.writestr(entry, text)
        archive.writestr(f'{information}/RECORD', f'{record}{information}/RECORD,,\n')
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_index(
    folder: Path, locked: Mapping[str, str], files: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """
    Make an index in a folder (PEP 503).

    Args:
        folder: folder for the index.
        locked: the version of each package.
        files: package name to the files in its wheel, in addition to its metadata.

    Returns:
        The SHA-256 of the locked version of each package.
    """
    names = sorted(locked)
    hashes: dict[str, str] = {}
    for name, following in zip(names, [*names[1:], names[0]], strict=True):
        (folder / name).mkdir(parents=True)
        page = ''
        for version in (locked[name], LATER):
            path = folder / name / wheel_name(name, version)
            digest = write_wheel(
                path, name, version, requires=following, files=files.get(name, {})
            )
            hashes.setdefault(name, digest)
            page += f'<a href="{path.name}#sha256={digest}">{path.name}</a>\n'
        (folder / name / 'index.html').write_text(page)
    return hashes
