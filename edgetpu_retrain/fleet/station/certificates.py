# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The certificates of a fleet: one of its own certificate authority, and one of each hub.

Members trust the fleet's authority and no other, so nobody else can make a certificate that they
accept.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
import ipaddress
from typing import NamedTuple

from edgetpu_retrain.errors import FleetError, LibraryMissingError

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError as _error:
    raise LibraryMissingError(
        'the station of a fleet needs cryptography, which makes the certificates of the hub: sudo '
        'apt-get install python3-cryptography, or python3 -m pip install cryptography'
    ) from _error

# Certificates are valid from this long before they are made, because a robot's clock may be
# behind.  They are valid for many years, because nothing renews the certificates of the authority
# and of the hubs at sites.
_EARLIER = timedelta(days=30)
_VALID = timedelta(days=365 * 30)
_HUB_VALID = timedelta(days=365 * 10)
RENEW_BEFORE = timedelta(days=365)
"""A base station renews the certificate of its hub if it expires within this time."""


class Certificate(NamedTuple):
    """A certificate and its private key, both in PEM format."""

    pem: str
    key: str


def make_authority(fleet: str) -> Certificate:
    """
    Return a new certificate authority.

    Args:
        fleet: public key of the fleet; its beginning is part of the authority's name.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f'edgetpu_retrain fleet {fleet[:12]}')
    builder = _builder(name, name, key.public_key(), _VALID)
    usage = x509.KeyUsage(
        key_cert_sign=True,
        crl_sign=True,
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(usage, critical=True)
    return _signed(builder, key, key)


def make_hub_certificate(
    authority: Certificate, names: tuple[str, ...], key_pem: str = ''
) -> Certificate:
    """
    Return a new certificate for a hub.

    Args:
        authority: the certificate authority of the fleet.
        names: host names and IP addresses at which members reach the hub, at least one.
        key_pem: the private key to certify, PEM; if it is empty or damaged, a new one is made.

    Raises:
        FleetError: if a name is not valid, or the authority is damaged.
    """
    issuer_key = _private_key(authority.key)
    try:
        issuer = x509.load_pem_x509_certificate(authority.pem.encode())
        if issuer_key is None:
            raise ValueError('its private key cannot be read')
    except ValueError as error:
        raise FleetError(
            f'the certificate authority of the fleet is damaged ({error}): take authority.pem and '
            "authority.key from a backup of the station's folder"
        ) from error
    key = _private_key(key_pem) or ec.generate_private_key(ec.SECP256R1())
    subject = _name(names[0][:64])
    builder = _builder(subject, issuer.subject, key.public_key(), _HUB_VALID)
    alternatives = [_alternative(name) for name in names]
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    for extension in (x509.SubjectAlternativeName(alternatives), authority_id, use):
        builder = builder.add_extension(extension, critical=False)
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    builder = builder.add_extension(constraints, critical=True)
    return _signed(builder, key, issuer_key)


def is_current(certificate: Certificate, names: tuple[str, ...]) -> bool:
    """
    Return whether a hub's certificate can be used for another year, with exactly these names.

    A damaged certificate or key, or a certificate that belongs to another key, cannot be used.
    """
    key = _private_key(certificate.key)
    try:
        loaded = x509.load_pem_x509_certificate(certificate.pem.encode())
        has = list(loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (ValueError, x509.ExtensionNotFound):
        return False
    if key is None or _public_bytes(loaded) != _public_bytes(key):
        return False
    if hasattr(loaded, 'not_valid_after_utc'):
        ends = loaded.not_valid_after_utc
    else:  # cryptography before 42
        ends = loaded.not_valid_after.replace(tzinfo=timezone.utc)
    wanted = [_alternative(name) for name in names]
    return has == wanted and ends - RENEW_BEFORE > datetime.now(timezone.utc)


def _private_key(pem: str) -> ec.EllipticCurvePrivateKey | None:
    """Return the private key in a PEM text; None if it is damaged or not for elliptic curves."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _public_bytes(owner: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    return owner.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, valid: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + valid)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _signed(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> Certificate:
    certificate = builder.sign(issuer_key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return Certificate(pem.decode(), private.decode())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        if not name or any(each in name for each in '/: ,'):
            raise ValueError('it has characters that no host name has')
        return x509.DNSName(name)
    except ValueError as error:
        raise FleetError(
            f'{name!r} is neither a host name nor an IP address ({error}): give the name or '
            'address at which robots reach the hub, without port'
        ) from error
