# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The parameters of the fleet process: each is declared once, as a field in this module.

The table in docs/interface.md is generated from these fields; after a change, run
``python3 tools/parameter_documents.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.parameter import parameter, parameters_of

LEARN_FROM = ('evidence', 'releases')
"""What a robot learns from: the samples of its fleet, or released heads."""


@dataclass(frozen=True)
class FleetParameters:
    """The checked values of the parameters."""

    fleet: str = parameter(
        '',
        "Address of the hub, such as 'tls://base:4222', or several with commas between them; '' = "
        'the one in the credentials',
    )
    credentials: str = parameter(
        '',
        "Path of this robot's credentials, as 'edgetpu_retrain fleet add' writes them; only its "
        'user may be able to read the file',
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
