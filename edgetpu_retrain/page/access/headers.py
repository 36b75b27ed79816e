# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The security headers of all responses."""

from __future__ import annotations

from aiohttp import web

CONTENT_SECURITY_POLICY = '; '.join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    'Content-Security-Policy': CONTENT_SECURITY_POLICY,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), '
    'payment=(), serial=(), usb=()',
    'Referrer-Policy': 'no-referrer',
    'Server': 'edgetpu_retrain',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
}


async def add_headers(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Add the security headers to a response before it is sent; a signal handler of aiohttp."""
    response.headers.update(HEADERS)
    # Responses may contain images of the robot's cameras, so browsers must not cache them.  The
    # handlers of static files and thumbnails set Cache-Control themselves.
    response.headers.setdefault('Cache-Control', 'no-store')
