"""Allowed webhook destinations: prevents requests to internal addresses (SSRF)."""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

NEVER = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",  # this host
        "169.254.0.0/16",  # link-local: the metadata of rented machines
        "fe80::/10",
        "fec0::/10",
        "::ffff:0:0/96",  # the rest hold an IPv4 address: mapped, NAT64, 6to4, Teredo
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
    )
)


class AddressRefused(Exception):
    """The destination is not allowed; the message says why."""


@dataclass(frozen=True)
class Target:
    """A parsed webhook URL."""

    is_tls: bool
    host: str
    port: int
    path: str


def target_of(url: str) -> Target:
    """Parse a URL. Raises AddressRefused if it is not allowed."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused(_("Enter a valid http or https URL.")) from None
    is_plain = url.isascii() and url.isprintable() and not set(url) & set(' \\"<>')
    if not is_plain or parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise AddressRefused(_("Enter a valid http or https URL."))
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(_("URLs that contain a username or password are not allowed."))
    if parts.scheme == "http" and not settings.WEBHOOK_ALLOW_PRIVATE:
        raise AddressRefused(_("Use an https URL. Notifications are not sent unencrypted."))
    is_tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_tls, parts.hostname, port or (443 if is_tls else 80), path)


def check_address(url: str) -> None:
    """Raise ValidationError if the URL itself is not allowed."""
    try:
        target = target_of(url)
        if _literal(target.host) is not None:
            check_ip(target.host)
    except AddressRefused as refused:
        raise ValidationError(refused.args[0]) from refused


def resolve(target: Target) -> list[str]:
    """Return the IP addresses of the host. Raises AddressRefused if any of them is not allowed."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressRefused(_("The hostname could not be resolved.")) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        check_ip(address)
    return addresses


def check_ip(address: str) -> None:
    """Raise AddressRefused unless webhooks may go to this IP address."""
    if not is_allowed(address, private=settings.WEBHOOK_ALLOW_PRIVATE):
        raise AddressRefused(
            _("The URL points to a private network. This installation does not send webhooks there.")
        )


def is_allowed(address: str, *, private: bool) -> bool:
    """Return whether webhooks may go to this IP address; `private`: also to loopback and private networks."""
    ip = _literal(address)
    if ip is None or any(ip in block for block in NEVER if block.version == ip.version):
        return False
    if ip.is_loopback:
        return private
    if ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local:
        return False
    return private or ip.is_global


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
