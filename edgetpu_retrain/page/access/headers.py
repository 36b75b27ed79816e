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
    # By default, browsers must not cache a response, because it may contain images from the
    # robot's cameras.  Exceptions are static files, which contain no such images, and
    # thumbnails, which are cached for a minute; their handlers have set Cache-Control already.
    response.headers.setdefault('Cache-Control', 'no-store')
