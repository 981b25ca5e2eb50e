"""HTTP steps against a real server: what is sent, to which address, and what the answer decides."""

import socket
import ssl
import threading
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from herzum_approval import clock, config, store
from herzum_approval.domain.approval_paths import Decision, Product
from herzum_approval.domain.http_steps import AllowedHosts, CallState
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import (
    approval_paths,
    http_calls,
    http_sender,
    pinned_connections,
    snapshot,
)
from herzum_approval.services.http_calls import CallFilters
from herzum_approval.services.pages import Wish
from herzum_approval.store import path_sendings, writing
from tests.services.sites import given

ALL = (CallFilters(), Wish())


class _Answers(BaseHTTPRequestHandler):
    """Records each request, and answers as it is told to."""

    protocol_version = "HTTP/1.1"

    def handle_one_request(self):
        super().handle_one_request()

    def _answer(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        self.server.requests.append((self.command, self.path, dict(self.headers), body))
        self.server.reply(self)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - as the library names them

    def log_message(self, *args):
        pass


def replies(status, body=b"", headers=()):
    def reply(handler):
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as running:
        running.requests, running.reply = [], replies(200)
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def demonstration(request, settings):
    """The demonstration site: on each engine where a test asks for them, else on SQLite alone."""
    database = request.getfixturevalue("engine" if "engine" in request.fixturenames else "sqlite_database")
    with store.active(database):
        snapshot.reset()
        yield


@pytest.fixture
def allowed(settings):
    with config.active(
        replace(settings, approval_path_http_hosts="127.0.0.0/8, hooks.example.com")
    ) as current:
        yield current


def with_step(url, *, action="APPROVAL", **step):
    """Give a definition of one HTTP step and then bob."""
    steps = [
        {"kind": "HTTP", "action": action, "url_template": url, **step},
        {"kind": "USER", "username": "bob"},
    ]
    given(approval_definitions=[{"id": 500, "product": "jira", "name": "Hook", "steps": steps}])


def started():
    reference = approval_paths.find_reference(Product.JIRA, "TEST-1")
    return approval_paths.create_approval(reference, "500", performer="admin").entries[0]


def address(server, path="/hook"):
    return f"http://127.0.0.1:{server.server_address[1]}{path}"


def calls():
    return http_calls.find_calls(*ALL).entries


def status_of(path):
    return approval_paths.show_path(path.id).path_status.value


def test_nothing_is_sent_without_a_list(server):
    with_step(address(server))
    path = started()
    assert http_calls.deliver() == (0, 0)
    assert server.requests == []
    (call,) = calls()
    assert (call.state, call.status) == (CallState.ANSWERED, 200)
    assert [step.definition.username for step in path.active_steps] == ["bob"]


def test_a_request_is_sent_as_the_step_says(server, allowed):
    with_step(
        address(server, "/${ref.id}?a=${approval.name}&ü=1#part"),
        http_method="PUT",
        headers_template="Content-Type: application/json\nX-Ref: ${ref.id}\nHost: evil.example",
        body_template='{"id":"${approval.id}","ü":1}',
    )
    path = started()
    assert server.requests == []
    assert http_calls.deliver() == (1, 0)
    ((method, target, headers, body),) = server.requests
    assert (method, target) == ("PUT", "/12305?a=Hook&%C3%BC=1")
    assert headers["Host"] == f"127.0.0.1:{server.server_address[1]}"
    assert (headers["Content-Type"], headers["X-Ref"]) == ("application/json", "12305")
    assert body == f'{{"id":"{path.id}","ü":1}}'
    assert http_calls.deliver() == (0, 0)


@pytest.mark.parametrize(
    ("status", "end"),
    [(200, "IN_PROGRESS"), (204, "IN_PROGRESS"), (302, "FAIL"), (404, "FAIL"), (500, "FAIL")],
)
def test_the_answer_decides(server, allowed, status, end):
    server.reply = replies(status, headers=[("Location", address(server, "/elsewhere"))])
    with_step(address(server))
    path = started()
    assert status_of(path) == "IN_PROGRESS"
    assert http_calls.deliver() == (1, 0)
    assert len(server.requests) == 1  # no redirect is followed
    assert status_of(path) == end
    (call,) = calls()
    assert (call.state, call.status) == (CallState.ANSWERED, status)


def test_a_notification_waits_for_no_answer(server, allowed):
    server.reply = replies(500)
    with_step(address(server), action="NOTIFICATION")
    path = approval_paths.vote(started().id, "bob", Decision.ACCEPTED)
    assert path.path_status.value == "SUCCESS"
    assert http_calls.deliver() == (1, 0)
    assert status_of(path) == "SUCCESS"


def test_no_answer_rejects(server, allowed):
    port = server.server_address[1]
    server.shutdown()
    server.server_close()
    with_step(f"http://127.0.0.1:{port}/")
    path = started()
    assert http_calls.deliver() == (0, 1)
    assert status_of(path) == "FAIL"
    (call,) = calls()
    assert (call.state, call.status) == (CallState.FAILED, None)
    assert "ConnectError" in call.error


def drips(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.server.may_end.wait(0.01):
        handler.wfile.write(b"X: y\r\n")


def talks(handler):
    replies(200, b"x" * 100_000)(handler)


def babbles(handler):
    handler.wfile.write(b"no HTTP at all\r\n\r\n")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (drips, "no answer within"),
        (talks, "longer than 1000 bytes"),
        (babbles, "Error"),
        (lambda handler: handler.connection.shutdown(socket.SHUT_RDWR), "Error"),
    ],
)
def test_answers_have_limits(server, allowed, reply, reason):
    server.may_end = threading.Event()
    server.reply = reply
    with_step(address(server))
    path = started()
    limits = {"approval_path_http_timeout_seconds": 0.3, "approval_path_http_max_bytes": 1000}
    with config.active(replace(allowed, **limits)):
        assert http_calls.deliver() == (0, 1)
    server.may_end.set()
    assert reason in calls()[0].error
    assert status_of(path) == "FAIL"


# -- addresses --------------------------------------------------------------------------------


@pytest.fixture
def names(monkeypatch):
    """Names and where they lead; counts how often somebody asks."""
    known, asked = {}, []
    real = socket.getaddrinfo

    def resolve(host, port, *args, **kwargs):
        if host not in known:
            return real(host, port, *args, **kwargs)
        asked.append(host)
        found = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known, asked


def test_a_name_is_resolved_once_and_that_address_is_used(server, allowed, names):
    known, asked = names
    known["hooks.example.com"] = [["127.0.0.1"], ["10.0.0.1"]]
    port = server.server_address[1]
    with_step(f"http://hooks.example.com:{port}/")
    path = started()
    assert http_calls.deliver() == (1, 0)
    assert asked == ["hooks.example.com"]
    assert server.requests[0][2]["Host"] == f"hooks.example.com:{port}"
    assert status_of(path) == "IN_PROGRESS"


def test_the_first_address_that_is_allowed_is_used(server, allowed, names):
    names[0]["hooks.example.com"] = [["10.0.0.1", "127.0.0.1"]]
    with_step(f"http://hooks.example.com:{server.server_address[1]}/")
    started()
    assert http_calls.deliver() == (1, 0)


@pytest.mark.parametrize("found", [["10.0.0.1"], ["169.254.169.254"], ["192.168.0.1", "100.64.0.1"]])
def test_a_name_that_leads_inside_is_not_called(server, allowed, names, found):
    names[0]["hooks.example.com"] = [found]
    with_step("http://hooks.example.com/")
    path = started()
    assert http_calls.deliver() == (0, 1)
    assert calls()[0].error == "hooks.example.com leads to addresses that are not allowed"
    assert status_of(path) == "FAIL"


def test_a_host_that_left_the_list_is_not_called(server, allowed, settings):
    with_step(address(server))
    path = started()
    with config.active(replace(settings, approval_path_http_hosts="other.example")):
        assert http_calls.deliver() == (0, 1)
    assert server.requests == []
    assert status_of(path) == "FAIL"


def test_a_name_that_nobody_knows(allowed, monkeypatch):
    def fail(*args, **kwargs):
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with_step("http://hooks.example.com/")
    started()
    assert http_calls.deliver() == (0, 1)
    assert "cannot be resolved" in calls()[0].error


@pytest.mark.parametrize("url", ["gopher://127.0.0.1/", "http://10.0.0.1/"])
def test_the_sender_looks_itself(url):
    call = replace_call(url)
    with pytest.raises(http_sender.SendingError):
        http_sender.send(call, AllowedHosts.parse("127.0.0.1"), http_sender.Limits(seconds=1, answer_bytes=1))


def replace_call(url):
    with_step("http://x.example/")
    started()
    return replace(calls()[0], url=url)


# -- certificates -----------------------------------------------------------------------------


@pytest.fixture
def certified(server, tmp_path):
    """The server by TLS, with a certificate for hooks.example.com; the path of the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return path


@pytest.mark.parametrize(
    ("name", "is_trusted", "delivery"),
    [
        ("hooks.example.com", True, (1, 0)),
        ("127.0.0.1", True, (0, 1)),  # the certificate is for another name
        ("hooks.example.com", False, (0, 1)),
    ],
)
def test_certificates_are_checked_against_the_name(
    server, certified, allowed, names, monkeypatch, name, is_trusted, delivery
):
    if is_trusted:
        context = ssl.create_default_context(cafile=certified)
        monkeypatch.setattr(pinned_connections, "_ssl_context", lambda: context)
    names[0]["hooks.example.com"] = [["127.0.0.1"]]
    with_step(f"https://{name}:{server.server_address[1]}/")
    started()
    assert http_calls.deliver() == delivery
    assert len(server.requests) == delivery[0]
    assert ("CERTIFICATE_VERIFY_FAILED" in (calls()[0].error or "")) is not bool(delivery[0])


# -- more than one deliverer ------------------------------------------------------------------


def test_two_deliveries_at_once_send_each_request_once(engine, server, allowed):
    with_step(address(server))
    paths = [started() for _ in range(10)]
    results = []
    settings = config.current()

    def deliver():
        with store.active(engine), config.active(settings):
            results.append(http_calls.deliver())

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answered for answered, _ in results) == len(server.requests) == 10
    assert {status_of(path) for path in paths} == {"IN_PROGRESS"}


def test_a_request_whose_sender_died_is_sent_again_later(engine, server, allowed):
    with_step(address(server))
    started()
    (call,) = calls()
    now = clock.now()
    assert writing(lambda database: path_sendings.claim_call(database, call, now))
    assert not writing(lambda database: path_sendings.claim_call(database, call, now))
    assert http_calls.deliver() == (0, 0)
    taken = replace(call, claimed_at=now)
    assert writing(
        lambda database: path_sendings.claim_call(database, taken, now - timedelta(minutes=5, seconds=1))
    )
    assert http_calls.deliver() == (1, 0)


def test_an_approval_that_goes_while_its_request_is_under_way(engine, server, allowed):
    with_step(address(server))
    path = started()
    answer = replies(200)

    def reply(handler):
        approval_paths.delete_path(path.id, performer="admin")
        answer(handler)

    settings = config.current()

    def in_context(handler):
        with store.active(engine), config.active(settings):
            reply(handler)

    server.reply = in_context
    assert http_calls.deliver() == (0, 0)
    assert calls() == []


# -- by hand ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "end"), [(299, "IN_PROGRESS"), (199, "FAIL")])
def test_an_open_request_is_answered_by_hand_once(settings, status, end):
    with config.active(replace(settings, approval_path_http_answer=0)):
        with_step("https://example.com/")
        path = started()
        assert http_calls.deliver() == (0, 0)
        (call,) = calls()
        assert call.state is CallState.OPEN
        assert http_calls.answer_call(call.id, status).status == status
        assert status_of(path) == end
        with pytest.raises(Problem) as caught:
            http_calls.answer_call(call.id, 200)
        assert caught.value.fault is Fault.CALL_DECIDED


def test_requests_are_found_by_approval_and_state(settings):
    with config.active(replace(settings, approval_path_http_answer=0)):
        with_step("https://example.com/")
        paths = [started(), started()]
        first, second = calls()
        http_calls.answer_call(first.id, 200)
        assert [
            each.id for each in http_calls.find_calls(CallFilters(path_id=paths[1].id), Wish()).entries
        ] == [second.id]
        found = http_calls.find_calls(CallFilters(state=CallState.ANSWERED), Wish()).entries
        assert [each.id for each in found] == [first.id]
        with pytest.raises(Problem) as caught:
            http_calls.show_call(99)
        assert caught.value.fault is Fault.CALL_UNKNOWN
