"""HTTP steps: the request that a step makes, whom it may be sent to, and what its answer decides.

Source: Approval Path, "Webhook step": the names in templates, 200 to 299 for approved. That nothing is
sent without an allow-list is ours.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urlsplit

from herzum_approval.domain.approval_paths import ApprovalPath, DefinitionStep, HttpMethod

Address = IPv4Address | IPv6Address

_NAME = re.compile(r"\$\{(collection\.id|ref\.id|approval\.name|approval\.id)\}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")
_LONGEST_HOST = 253
_NAT64 = IPv6Network("64:ff9b::/96")

GIVEN_BY_SENDER = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect"})
"""Headers that no template can set: they say how a request is sent, and where to."""


class CallState(StrEnum):
    """What is known of a request. Only a waiting one is ever sent."""

    OPEN = "open"  # recorded, never sent; somebody says what was answered
    WAITING = "waiting"  # to be sent
    ANSWERED = "answered"
    FAILED = "failed"  # no answer came


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """The request that one HTTP step of a run makes, templates filled in.

    position: the step's place in the run; of its rejection steps where is_of_rejection, of its success
        steps where is_of_success.
    headers: in the order of the template, one `Name: value` per line.
    status: of the answer. error: why there is none. claimed_at: when somebody last set out to send it.
    """

    id: int
    path_id: int
    position: int
    created_at: datetime
    method: HttpMethod
    url: str
    headers: str = ""
    body: str = ""
    is_of_rejection: bool = False
    is_of_success: bool = False
    state: CallState = CallState.WAITING
    status: int | None = None
    error: str | None = None
    answered_at: datetime | None = None
    claimed_at: datetime | None = None

    @property
    def informs_of_end(self) -> bool:
        """Whether its step comes after the end, so that no answer decides anything."""
        return self.is_of_rejection or self.is_of_success

    @property
    def is_decided(self) -> bool:
        return self.state in (CallState.ANSWERED, CallState.FAILED)

    @property
    def is_accepted(self) -> bool:
        """Whether the answer approves: 200 to 299. No answer rejects."""
        return self.state is CallState.ANSWERED and self.status is not None and 200 <= self.status < 300

    @property
    def header_pairs(self) -> list[tuple[str, str]]:
        """The headers to send, name and value; lines that are no header are left out."""
        pairs = [line.split(":", 1) for line in self.headers.split("\n") if ":" in line]
        return [
            (name.strip(), value.strip())
            for name, value in pairs
            if _HEADER_NAME.fullmatch(name.strip())
            and name.strip().lower() not in GIVEN_BY_SENDER
            and not any(ord(letter) < 32 and letter != "\t" for letter in value.strip())
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a URL leads. host: in lower case, without the brackets of IPv6."""

    scheme: str
    host: str
    port: int


def rendered(step: DefinitionStep, path: ApprovalPath, position: int, now: datetime) -> HttpCall:
    """Return the request of an HTTP step of the run; its id is yet to come.

    What is filled into a URL is percent-encoded, and what is filled into headers stays on its line.
    """
    values = {
        "collection.id": str(path.collection_id),
        "ref.id": str(path.ref_id),
        "approval.name": path.name,
        "approval.id": str(path.id),
    }
    return HttpCall(
        id=0,
        path_id=path.id,
        position=position,
        created_at=now,
        method=step.http_method,
        url=_filled(step.url_template, {name: quote(value, safe="") for name, value in values.items()}),
        headers=_filled(
            step.headers_template.replace("\r\n", "\n"),
            {name: " ".join(value.split()) for name, value in values.items()},
        ),
        body=_filled(step.body_template, values),
    )


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _NAME.sub(lambda found: values[found[1]], template)


def target_of(url: str) -> Target | None:
    """Return where the URL leads; None where that is no plain http or https address.

    One with a user name in it is none: a reader might take that for the host.
    """
    if _UNPRINTABLE.search(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna" if not _is_address(parts.hostname) else "ascii").decode()
    except (ValueError, UnicodeError):
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or port == 0:
        return None
    if not _is_address(host) and (not _HOST.fullmatch(host) or len(host) > _LONGEST_HOST):
        return None
    return Target(
        scheme=parts.scheme, host=host.lower(), port=port or (443 if parts.scheme == "https" else 80)
    )


def _is_address(host: str | None) -> bool:
    try:
        ip_address(host or "")
    except ValueError:
        return False
    return True


# -- whom requests may be sent to -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Whom HTTP steps may be sent to: host names, and ranges of addresses."""

    names: frozenset[str] = frozenset()
    ranges: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "AllowedHosts":
        """Return the list that a setting spells: names, addresses and ranges, separated by commas.

        Raises: ValueError naming an entry that is none of these.
        """
        names: set[str] = set()
        ranges: list[IPv4Network | IPv6Network] = []
        for entry in filter(None, (part.strip().lower() for part in text.split(","))):
            try:
                ranges.append(ip_network(entry.strip("[]")))
                continue
            except ValueError:
                # What looks like an address or a range, and is none, is no name either.
                if not _HOST.fullmatch(entry) or re.fullmatch(r"[0-9.]+", entry):
                    raise ValueError(f"{entry!r} is neither a host name nor a range of addresses") from None
            names.add(entry)
        return cls(frozenset(names), tuple(ranges))

    def admits(self, target: Target) -> bool:
        """Return whether requests to the target may be sent at all; its address is looked at later."""
        if _is_address(target.host):
            return self.lists(ip_address(target.host))
        return target.host in self.names

    def lists(self, address: Address) -> bool:
        """Return whether a range names the address."""
        plain = _plain(address)
        return any(plain in each for each in self.ranges if each.version == plain.version)

    def admits_address(self, address: Address) -> bool:
        """Return whether a name that is admitted may lead there: to the world, else to what is listed."""
        plain = _plain(address)
        return (plain.is_global and not plain.is_multicast) or self.lists(plain)


def _plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one wraps, where it wraps one."""
    if not isinstance(address, IPv6Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """What becomes of a request that a step makes.

    unsent_status: with what one is answered at once that may not be sent; None leaves it open.
    """

    hosts: AllowedHosts = field(default_factory=AllowedHosts)
    unsent_status: int | None = 200

    def is_sent(self, call: HttpCall) -> bool:
        target = target_of(call.url)
        return target is not None and self.hosts.admits(target)
