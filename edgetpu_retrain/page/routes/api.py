# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Adds the routes of this package to the application."""

from __future__ import annotations

from aiohttp import web
from edgetpu_retrain.page.routes import (
    analysis,
    models,
    pictures,
    questions,
    samples,
    transfer,
)


def add_api(app: web.Application) -> None:
    """Add the routes of samples, questions, pictures, models, analyses and transfers."""
    app.router.add_routes([*samples.routes, *questions.routes])
    for module in (pictures, models, analysis, transfer):
        module.add_routes(app)
