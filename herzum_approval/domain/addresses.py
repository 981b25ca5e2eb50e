"""IP addresses: which ones a list allows, and from which one a request came."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

Address = IPv4Address | IPv6Address

LONGEST_LIST = 4000
"""How many characters a list of addresses may have."""


class AddressRange(NamedTuple):
    """All addresses from the first to the last; both are of one version."""

    first: Address
    last: Address

    def covers(self, address: Address) -> bool:
        return self.first.version == address.version and int(self.first) <= int(address) <= int(self.last)


@lru_cache(maxsize=1024)
def address_ranges(text: str) -> tuple[AddressRange, ...]:
    """Return the ranges of a list such as `10.0.0.1, 10.1.0.0/16, 10.2.0.5-10.2.0.9, 2001:db8::/32`.

    Commas, blanks and line ends part its entries. An IPv4 address written as IPv6 counts as IPv4.
    Raises: ValueError that names the first entry that is none of these.
    """
    return tuple(_range(part) for line in text.split("\n") for part in _parts(line))


def _parts(line: str) -> list[str]:
    """Return the entries of a line; blanks may stand around the dash of a range."""
    joined = "-".join(part.strip() for part in line.split("-"))
    return joined.replace(",", " ").split()


def _range(part: str) -> AddressRange:
    try:
        if "/" in part:
            network = ip_network(part, strict=False)
            found = AddressRange(_plain(network[0]), _plain(network[-1]))
        else:
            first, dash, last = part.partition("-")
            found = AddressRange(_plain(ip_address(first)), _plain(ip_address(last if dash else first)))
    except ValueError:
        raise ValueError(f"{part!r} is neither an address nor a range of addresses") from None
    if found.first.version != found.last.version or int(found.first) > int(found.last):
        raise ValueError(f"{part!r} does not end after its beginning")
    return found


def _plain(address: Address) -> Address:
    """Return the address without a zone, and as IPv4 where it is one written as IPv6."""
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def address_of(text: str) -> Address | None:
    """Return the address that a text spells, a port aside; None where it spells none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return _plain(ip_address(text))
    except ValueError:
        return None


def is_covered(address: Address | None, ranges: Iterable[AddressRange]) -> bool:
    """Return whether the address is in one of the ranges; an unknown one is in none."""
    return address is not None and any(each.covers(address) for each in ranges)


def client_address(
    peer: str | None, forwarded_for: str | None, trusted: Sequence[AddressRange]
) -> Address | None:
    """Return where a request comes from; None where nobody can tell.

    peer: who is connected. forwarded_for: the header `X-Forwarded-For`, to which each proxy appends from
        whom it got the request. trusted: proxies that tell the truth. The header is read from its end
        for as long as who wrote it is trusted, so that what a client wrote itself does not count.
    """
    address = address_of(peer or "")
    hops = (forwarded_for or "").split(",") if forwarded_for else []
    while hops and is_covered(address, trusted):
        address = address_of(hops.pop())
    return address
