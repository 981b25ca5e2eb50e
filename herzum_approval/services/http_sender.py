"""Sending one request: to the address that was looked at, without redirects, within limits."""

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from herzum_approval.domain.http_steps import Address, AllowedHosts, HttpCall, Target, target_of

_IN_TARGETS = "/?%:@!$&'()*+,;=~-._[]"


class SendingError(Exception):
    """Why a request has no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a request may take in all, and how long its answer's body may be."""

    seconds: float
    answer_bytes: int


def send(call: HttpCall, hosts: AllowedHosts, limits: Limits) -> int:
    """Send the request and return the status of its answer.

    The name is resolved once, and what was found then is connected to: a name that leads elsewhere a
    moment later leads nobody astray. Redirects are answers like others, and proxies are not used.
    Raises: SendingError; ValueError where the library for it is not installed.
    """
    target = target_of(call.url)
    if target is None:
        raise SendingError("the address is no http or https address")
    if not hosts.admits(target):
        raise SendingError(f"requests to {target.host} are not allowed")
    address = resolved(target, hosts)
    try:
        from herzum_approval.services.pinned_connections import exchange
    except ImportError:
        raise ValueError("HTTP steps need a library: pip install 'herzum-approval[http]'") from None
    return exchange(call, target, path_of(call.url), str(address), limits)


def resolved(target: Target, hosts: AllowedHosts) -> Address:
    """Return the first address of the target that requests may go to. Raises: SendingError."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SendingError(f"{target.host} cannot be resolved: {error}") from None
    # An address of one link names its interface behind a percent sign, and is never for us.
    addresses = [ip_address(str(place[0])) for *_, place in found if "%" not in str(place[0])]
    for address in addresses:
        if hosts.admits_address(address):
            return address
    raise SendingError(f"{target.host} leads to addresses that are not allowed")


def path_of(url: str) -> str:
    """Return path and query of the URL as a request spells them."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return quote((parts.path or "/") + query, safe=_IN_TARGETS)
