"""Malformed, huge and mistyped requests: a clear 4xx in the family's shape, never a 5xx."""

from io import BytesIO

import pytest
from webtest import TestApp
from werkzeug.test import create_environ, run_wsgi_app

SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"
SESSION = "/rest/auth/1/session"
JSON = "application/json;charset=UTF-8"
ADMIN = {"Authorization": "Basic YWRtaW46YWRtaW4="}

NONSENSE = [
    "%FF%FE",
    "%C0%AF",  # overlong
    "%ED%A0%80",  # a lone surrogate
    "%00",
    "%0d%0aX-Evil:%201",
    "%E2%80%AE",
    "%F0%9F%92%A5",
    "%",
    "%zz",
    "'%20OR%201=1--",
    "%25_",
    "a" * 5000,
    "%3Cscript%3E",
    ",".join(map(str, range(3000))),
]


@pytest.mark.parametrize("text", NONSENSE)
@pytest.mark.parametrize(
    "parameter",
    ["appname", "username", "status", "issuekey", "issuekeys", "issueids", "startAt", "maxResults"],
)
def test_nonsense_in_a_parameter_is_a_documented_error(client: TestApp, parameter, text):
    answer = client.get(f"{SEARCH}?{parameter}={text}", headers=ADMIN, status="4*")
    assert list(answer.json) == ["errorCode", "errorMessage", "status"]
    assert answer.status_int == answer.json["status"]
    assert answer.headers["Content-Type"] == JSON
    assert "X-Evil" not in answer.headers


def test_thousands_of_parameters_are_read(client):
    query = "&".join(f"p{n}=1" for n in range(10_000))
    assert len(client.get(f"{SEARCH}?{query}&issuekey=TEST-2", headers=ADMIN, status=200).json) == 1


@pytest.mark.parametrize(
    ("path", "url"),
    [
        (
            "/rest/herzum-hap-services/1.0/api/nothing",
            "http://localhost/rest/herzum-hap-services/1.0/api/nothing",
        ),
        ("/rest/herzum-hap-services/1.0", "http://localhost/rest/herzum-hap-services/1.0"),
        ("/rest/nothing", "http://localhost/rest/nothing"),
        ("/jira/rest/nothing", "http://localhost/jira/rest/nothing"),
    ],
)
def test_an_unknown_path_is_said_as_jira_says_it(client, path, url):
    answer = client.get(path, headers=ADMIN, status=404)
    assert answer.headers["Content-Type"] == JSON
    assert answer.json == {"message": f"null for uri: {url}", "status-code": 404}


def test_outside_of_every_family_the_answer_is_a_page(client):
    answer = client.get("/nothing/%3Cscript%3E", status=404)
    assert answer.content_type == "text/html"
    assert "<script>" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_method_that_is_not_there_names_those_that_are(client, method):
    answer = client.request(SEARCH, method=method, headers=ADMIN, status=405)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert answer.json == {"message": "HTTP 405 Method Not Allowed", "status-code": 405}
    assert answer.headers["Content-Type"] == JSON


BODIES = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b'{"username": "admin",}',
    b'{"username": NaN}',
    b'{"username": 1e999999}',
    b'{"username": "\xff"}',
    b'{"username": "\\ud800"}',
    b"\xef\xbb\xbf{}",
    '{"username": "admin"}'.encode("utf-16"),
    b'{"username": "admin"} trailing',
    b"[" * 200_000,
    b'{"a":' * 65 + b"1" + b"}" * 65,
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:24]))
def test_a_body_that_is_no_json_object_is_refused(client, body):
    answer = client.request(SESSION, method="POST", body=body, content_type="application/json", status=400)
    assert answer.headers["Content-Type"] == JSON
    assert list(answer.json) == ["errorMessages", "errors"]


def test_a_body_nested_as_deep_as_allowed_is_read(client):
    body = b'{"username": "admin", "password": "admin", "a":' + b"[" * 63 + b"]" * 63 + b"}"
    client.request(SESSION, method="POST", body=body, content_type="application/json", status=200)


def test_of_repeated_keys_the_last_counts(client):
    body = b'{"username": "nobody", "username": "admin", "password": "admin"}'
    client.request(SESSION, method="POST", body=body, content_type="application/json", status=200)


def test_a_body_that_is_too_long_is_refused(client):
    body = b'{"username": "' + b"a" * 1024 * 1024 + b'"}'
    answer = client.request(SESSION, method="POST", body=body, content_type="application/json", status=413)
    assert answer.headers["Content-Type"] == JSON


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_body_of_another_type_is_refused(client, content_type):
    answer = client.request(
        SESSION,
        method="POST",
        body=b'{"username": "admin", "password": "admin"}',
        content_type=content_type,
        status=415,
    )
    assert answer.headers["Content-Type"] == JSON


@pytest.mark.parametrize(("length", "status"), [(1024 * 1024, "401"), (1024 * 1024 + 1, "413")])
def test_a_body_in_chunks_is_measured_too(client: TestApp, length: int, status: str) -> None:
    """Its length is not told before, and the server says where it ends."""
    credentials = b'{"username":"bob","password":"wrong"}'
    environ = create_environ(SESSION, method="POST", content_type="application/json")
    environ["wsgi.input"] = BytesIO(credentials + b" " * (length - len(credentials)))
    environ["wsgi.input_terminated"] = True
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    _, said, _ = run_wsgi_app(client.app, environ)
    assert said.startswith(status)
