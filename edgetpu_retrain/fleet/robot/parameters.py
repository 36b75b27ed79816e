# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The parameters of the fleet process: each is declared once, as a field in this module.

The table in docs/fleet.md is generated from these fields; after a change, run
``python3 tools/parameter_documents.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.parameter import parameter, parameters_of
from edgetpu_retrain.store.files.data_folder import expanded

LEARN_FROM = ('evidence', 'releases')
"""What a robot learns from: the samples of its fleet, or released heads."""


def _read_addresses(value: str) -> tuple[str, ...]:
    addresses = tuple(each.strip() for each in value.split(',') if each.strip())
    if not addresses:
        raise RequestError(
            'it is empty, so this robot is in no fleet: set it to the address of the hub, such as '
            'nats://base:4222'
        )
    return addresses


def _read_path(value: str) -> Path:
    if not value:
        raise RequestError(
            "it is empty: set it to the file that 'edgetpu_retrain fleet add' has written"
        )
    return expanded(Path(value))


@dataclass(frozen=True)
class FleetParameters:
    """The values of the parameters, checked and converted."""

    fleet: tuple[str, ...] = parameter(
        '',
        "Address of the hub, such as 'nats://base:4222', or several with commas between them; '' "
        '= no fleet: the process ends',
        read=_read_addresses,
    )
    credentials: Path = parameter(  # noqa: RUF009 - parameter() returns a field
        '',
        "Path of this robot's credentials, as 'edgetpu_retrain fleet add' writes them; only its "
        'user may be able to read the file',
        read=_read_path,
    )
    share_pictures: bool = parameter(
        False,
        'Whether thumbnails of new samples are shared, so that teachers elsewhere see what they '
        'are asked about; embeddings are always shared',
    )
    learn_from: str = parameter(
        'evidence',
        "'evidence' = train with the samples of the fleet; 'releases' = take released heads, for "
        'robots too small for all samples',
        choices=LEARN_FROM,
    )
    max_origin_share: float = parameter(
        0.5,
        "Largest share of a class's samples that may come from one other robot in a training",
        (0.01, 1.0),
    )
    retrain_node: str = parameter(
        'edgetpu_retrain',
        'Name of the retrain node, on the same machine; a relative name is in the namespace of '
        'this process',
    )


PARAMETERS = parameters_of(FleetParameters)
"""All parameters, in the order of the fields."""
