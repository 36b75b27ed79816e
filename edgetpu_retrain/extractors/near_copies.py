# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The cosine distance below which a frame is a near copy of a sample, by extractor.

Near copies teach nothing new, and held-out samples with near copies among the training samples say
nothing about new views.  docs/samples_and_models.md has the measurements.
"""

from __future__ import annotations

# Identities of extractors (model_file/metadata/identity_entry).
_DEFAULT_EXTRACTOR = '4f318a724a23312df425fb8c4afddefd83c9707132a987222b48c979961a9c13'
# Coral's MobileNet v1: compiled for the Edge TPU, and not compiled, for the CPU (docs/coral.md).
_CORAL = '33a249155302975d7e28f72a5250903cdf7f7afb7bd1ceec3d2cd8ca9ce6a609'
_CORAL_TWIN = 'f409ef4f73fcbb9667841965623c5c8524aac33d41b9bf5f3667161fb4a76319'

_MEASURED = {_DEFAULT_EXTRACTOR: 0.03, _CORAL: 0.023, _CORAL_TWIN: 0.023}

# The distance for all other extractors: small, because a large one would skip new views.
_OF_OTHERS = 0.01


def min_novelty_of(chosen: float, extractor: str) -> float:
    """
    Return the cosine distance below which a frame is skipped as a near copy.

    Args:
        chosen: the user's choice; 0 = the extractor's default; a negative number skips none.
        extractor: identity of the extractor.

    Returns:
        The distance, 0 to 2; 0 = skip none.
    """
    return max(chosen or _MEASURED.get(extractor, _OF_OTHERS), 0.0)
