"""Which addresses a list allows, and where a request comes from."""

import pytest

from herzum_approval.domain.addresses import (
    address_of,
    address_ranges,
    client_address,
    is_covered,
)


@pytest.mark.parametrize(
    ("text", "address", "is_allowed"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.0/30", "10.0.0.3", True),
        ("10.0.0.0/30", "10.0.0.4", False),
        ("10.0.0.7/24", "10.0.0.255", True),
        ("10.0.0.5-10.0.0.9", "10.0.0.5", True),
        ("10.0.0.5-10.0.0.9", "10.0.0.9", True),
        ("10.0.0.5 - 10.0.0.9", "10.0.0.7", True),
        ("10.0.0.5-10.0.0.9", "10.0.0.10", False),
        ("10.0.0.5-10.0.0.9", "10.0.0.4", False),
        ("2001:db8::/32", "2001:db8:1::9", True),
        ("2001:db8::/32", "2001:db9::", False),
        ("2001:db8::1-2001:db8::ff", "2001:DB8:0::A", True),
        ("::1", "::1", True),
        ("::/0", "10.0.0.1", False),
        ("0.0.0.0/0", "::1", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("::ffff:10.0.0.0/120", "10.0.0.77", True),
        ("fe80::1", "fe80::1%eth0", True),
        ("10.0.0.1,10.0.0.2", "10.0.0.2", True),
        (" 10.0.0.1 ,\n 10.0.0.2\n::1 ", "::1", True),
        ("", "10.0.0.1", False),
    ],
)
def test_what_a_list_covers(text, address, is_allowed):
    assert is_covered(address_of(address), address_ranges(text)) is is_allowed


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("10.0.0.1, example.com", "'example.com'"),
        ("10.0.0.256", "'10.0.0.256'"),
        ("010.0.0.1", "'010.0.0.1'"),
        ("10.0.0.0/33", "'10.0.0.0/33'"),
        ("10.0.0.9-10.0.0.5", "does not end after its beginning"),
        ("10.0.0.9-::1", "does not end after its beginning"),
        ("10.0.0.1-", "'10.0.0.1-'"),
        ("1-2-3", "'1-2-3'"),
        ("١٠.0.0.1", "neither an address"),
        ("10.0.0.1\0", "neither an address"),
    ],
)
def test_what_is_no_list_is_refused_by_its_entry(text, named):
    with pytest.raises(ValueError, match=r"address|end after") as caught:
        address_ranges(text)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1:8080", "10.0.0.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[::1]", "::1"),
        ('"10.0.0.1"', "10.0.0.1"),
        (" ::ffff:10.0.0.1 ", "10.0.0.1"),
        ("unknown", None),
        ("_hidden", None),
        ("", None),
        ("[::1", "::1"),
        ("1.2.3.4.5", None),
        ("9" * 5000, None),
    ],
)
def test_addresses_as_headers_spell_them(text, address):
    found = address_of(text)
    assert (found and str(found)) == address


PROXIES = "10.0.0.0/8, ::1"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # whoever is not trusted may write what he likes
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("::1", "198.51.100.7:4711", "198.51.100.7"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.7, unknown", None),
        (None, "198.51.100.7", None),
        ("unix:", None, None),
    ],
)
def test_proxies_are_believed_where_they_are_trusted(peer, forwarded_for, address):
    found = client_address(peer, forwarded_for, address_ranges(PROXIES))
    assert (found and str(found)) == address


def test_nobody_is_trusted_where_no_proxy_is_named():
    assert str(client_address("10.0.0.1", "198.51.100.7", ())) == "10.0.0.1"


def test_an_unknown_address_is_allowed_nowhere():
    assert not is_covered(None, address_ranges("0.0.0.0/0, ::/0"))
