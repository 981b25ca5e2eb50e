"""HTTP steps: what is filled in, where a URL leads, and whom requests may be sent to."""

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from herzum_approval.domain.approval_paths import (
    ApprovalPath,
    DefinitionStep,
    HttpMethod,
    Product,
    StepKind,
)
from herzum_approval.domain.http_steps import (
    AllowedHosts,
    CallPolicy,
    CallState,
    HttpCall,
    Target,
    rendered,
    target_of,
)

NOW = datetime(2022, 9, 26, tzinfo=UTC)
TEMPLATE = "${collection.id}|${ref.id}|${approval.name}|${approval.id}|${other}|$ref.id"


def call(url="https://example.com/", **members):
    return HttpCall(id=1, path_id=1, position=1, created_at=NOW, method=HttpMethod.POST, url=url, **members)


def path(name):
    return ApprovalPath(
        id=38,
        product=Product.JIRA,
        definition_id=35,
        name=name,
        summary="",
        collection_id=10000,
        ref_id=10068,
        started_by="admin",
        started_at=NOW,
        modified_at=NOW,
        steps=(),
    )


def step(url="", headers="", body=""):
    return DefinitionStep(kind=StepKind.HTTP, url_template=url, headers_template=headers, body_template=body)


def test_names_are_filled_in_everywhere_and_others_stay():
    made = rendered(step(f"https://x/{TEMPLATE}", f"A: {TEMPLATE}", TEMPLATE), path("QA"), 3, NOW)
    assert made.url == "https://x/10000|10068|QA|38|${other}|$ref.id"
    assert made.headers == "A: 10000|10068|QA|38|${other}|$ref.id"
    assert made.body == "10000|10068|QA|38|${other}|$ref.id"
    assert (made.path_id, made.position, made.state) == (38, 3, CallState.WAITING)


def test_what_is_filled_in_stays_in_its_place():
    name = "a/b?c#d&e \r\nX-Evil: 1 ${ref.id}"
    made = rendered(
        step("https://x/${approval.name}", "A: ${approval.name}", "${approval.name}"), path(name), 1, NOW
    )
    assert made.url == "https://x/a%2Fb%3Fc%23d%26e%20%0D%0AX-Evil%3A%201%20%24%7Bref.id%7D"
    assert made.headers == "A: a/b?c#d&e X-Evil: 1 ${ref.id}"
    assert made.body == name


@pytest.mark.parametrize(
    ("headers", "pairs"),
    [
        ("", []),
        ("Accept: a\nX-B:c:d\n", [("Accept", "a"), ("X-B", "c:d")]),
        ("Accept: a\r", [("Accept", "a")]),
        ("no header\n: none\nA B: c\nX: a\x00b", []),
        ("Host: evil\ncontent-length: 5\nTransfer-Encoding: chunked\nConnection: close\nExpect: x", []),
    ],
)
def test_headers(headers, pairs):
    assert call(headers=headers).header_pairs == pairs


@pytest.mark.parametrize(
    ("state", "status", "accepted"),
    [
        (CallState.ANSWERED, 199, False),
        (CallState.ANSWERED, 200, True),
        (CallState.ANSWERED, 299, True),
        (CallState.ANSWERED, 300, False),
        (CallState.FAILED, None, False),
        (CallState.OPEN, None, False),
        (CallState.WAITING, 200, False),
    ],
)
def test_what_approves(state, status, accepted):
    made = call(state=state, status=status)
    assert made.is_accepted is accepted
    assert made.is_decided is (state in (CallState.ANSWERED, CallState.FAILED))


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://Example.com/x?y#z", Target(scheme="https", host="example.com", port=443)),
        ("http://example.com:8080", Target(scheme="http", host="example.com", port=8080)),
        ("http://[::1]:80/", Target(scheme="http", host="::1", port=80)),
        ("http://10.0.0.1/", Target(scheme="http", host="10.0.0.1", port=80)),
        ("https://bücher.example/", Target(scheme="https", host="xn--bcher-kva.example", port=443)),
        ("ftp://example.com/", None),
        ("example.com", None),
        ("", None),
        ("https:///x", None),
        ("https://user@example.com/", None),
        ("https://good.example@evil.example/", None),
        ("https://evil.example\\@good.example/", None),
        ("https://a b/", None),
        ("https://a\n.example/", None),
        ("https://example.com:0/", None),
        ("https://example.com:99999/", None),
        ("https://example.com:x/", None),
        ("https://[::1/", None),
        ("https://" + "a" * 300 + "/", None),
        ("https://\ud800/", None),
    ],
)
def test_where_a_url_leads(url, target):
    assert target_of(url) == target


LISTED = AllowedHosts.parse("hooks.example.com, 127.0.0.0/8,10.1.2.3 , [::1],2001:db8::/32")


@pytest.mark.parametrize(
    ("url", "admitted"),
    [
        ("https://hooks.example.com/x", True),
        ("https://HOOKS.example.com:8443/", True),
        ("https://x.hooks.example.com/", False),
        ("https://hooks.example.com.evil.example/", False),
        ("https://example.com/", False),
        ("http://127.0.0.1:5000/", True),
        ("http://127.1/", False),
        ("http://0x7f000001/", False),
        ("http://2130706433/", False),
        ("http://10.1.2.3/", True),
        ("http://10.1.2.4/", False),
        ("http://[::1]/", True),
        ("http://[::ffff:10.1.2.3]/", True),
        ("http://[::ffff:10.1.2.4]/", False),
        ("http://93.184.216.34/", False),
        ("ftp://hooks.example.com/", False),
        ("http://localhost/", False),
    ],
)
def test_who_is_sent_to(url, admitted):
    assert CallPolicy(hosts=LISTED).is_sent(call(url)) is admitted
    assert not CallPolicy().is_sent(call(url))


@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("10.1.2.4", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::", False),
        ("::1", True),
        ("::ffff:169.254.169.254", False),
        ("2002:a9fe:a9fe::1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::a01:203", True),
    ],
)
def test_where_a_listed_name_may_lead(address, admitted):
    assert LISTED.admits_address(ip_address(address)) is admitted


@pytest.mark.parametrize(
    "text", ["a b", "1.2.3", "10.0.0.0/33", "10.0.0.1/8", "http://x", "*", "*.x", "x:80", "-x"]
)
def test_a_list_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match="neither a host name nor a range"):
        AllowedHosts.parse(f"ok.example, {text}")


def test_an_empty_list_admits_nobody():
    assert AllowedHosts.parse(" , ") == AllowedHosts()
