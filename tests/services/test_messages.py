"""The outbox: sent by a real SMTP conversation, once a mail server is configured."""

import socketserver
import threading
from dataclasses import replace
from email import message_from_string

import pytest

from herzum_approval import config
from herzum_approval.domain.actions import Action
from herzum_approval.domain.approval_paths import Product
from herzum_approval.domain.mappings import MappingSettings
from herzum_approval.domain.people import Actor
from herzum_approval.services import (
    approval_paths,
    decisions,
    issues,
    mappings,
    messages,
    snapshot,
)
from herzum_approval.services.decisions import Credentials
from herzum_approval.store import mappings as stored_mappings
from herzum_approval.store import messages as stored

ADMIN = Actor(username="admin", display_name="Admin")


class _Conversation(socketserver.StreamRequestHandler):
    """The server's side of SMTP, as much as a client needs; refuses recipients that it was told to."""

    def handle(self):
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline().decode().strip():
            verb = line.upper().split(" ")[0].split(":")[0]
            if verb == "DATA":
                self.wfile.write(b"354 go on\r\n")
                text = "".join(iter(lambda: self.rfile.readline().decode(), ".\r\n"))
                self.server.mails.append(message_from_string(text))
            if verb == "RCPT" and self.server.refused and self.server.refused in line:
                self.wfile.write(b"550 no such mailbox\r\n")
                continue
            self.wfile.write(b"221 bye\r\n" if verb == "QUIT" else b"250 fine\r\n")
            if verb == "QUIT":
                return


@pytest.fixture
def mail_server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Conversation) as server:
        server.mails, server.refused = [], ""
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def demonstration(engine, settings):
    snapshot.reset()


@pytest.fixture
def with_mail(settings, mail_server):
    configured = replace(settings, smtp_host="127.0.0.1", smtp_port=mail_server.server_address[1])
    with config.active(configured):
        yield mail_server


def request_mails(engine):
    """Let the mapping of TEST-2 mail its requests, and let the issue enter its status anew."""
    with engine.connection_context():
        (mapping,) = stored_mappings.read_mappings(engine, [4])
    mappings.edit_mapping(ADMIN, replace(mapping, settings=MappingSettings(sends_request_mail=True)))
    decisions.act(ADMIN, 77, Action.APPROVE, credentials=Credentials(), comment=None)
    issues.transition(ADMIN, "TEST-2", 11)
    issues.transition(ADMIN, "TEST-2", 111)


def record_77():
    return next(each for each in snapshot.export_all()["issue_approvals"] if each["id"] == 77)


def test_nothing_is_sent_without_a_mail_server(engine):
    request_mails(engine)
    with pytest.raises(ValueError, match="No mail server"):
        messages.deliver()
    assert "notified_at" not in record_77()
    assert all("sent_at" not in message for message in snapshot.export_all()["messages"])


def test_messages_are_sent_once_and_the_request_shows_when(engine, with_mail):
    request_mails(engine)
    waiting = snapshot.export_all()["messages"]
    assert messages.deliver() == (len(waiting), 0)
    subjects = {(mail["To"], mail["Subject"]) for mail in with_mail.mails}
    assert ("bob@example.com", "[TEST-2] Roberto Pupo: your approval is requested") in subjects
    assert ("admin@example.com", "[TEST-2] Roberto Pupo: PENDING") in subjects
    assert record_77()["notified_at"]
    assert record_77()["version"] > 1
    assert all(message["sent_at"] for message in snapshot.export_all()["messages"])
    assert messages.deliver() == (0, 0)


def test_what_the_mail_server_refuses_stays(engine, with_mail):
    request_mails(engine)
    with_mail.refused = "bob@"
    sent, left = messages.deliver()
    assert sent > 0
    assert left > 0
    with_mail.refused = ""
    assert messages.deliver() == (left, 0)


def test_a_mail_server_that_is_not_there(settings, mail_server):
    port = mail_server.server_address[1]
    mail_server.shutdown()
    mail_server.server_close()
    with (
        config.active(replace(settings, smtp_host="127.0.0.1", smtp_port=port)),
        pytest.raises(OSError, match="refused"),
    ):
        messages.deliver()


def test_mails_of_approval_paths_go_to_people_and_to_addresses(engine, with_mail):
    page = approval_paths.find_reference(Product.CONFLUENCE, "10068")
    approval_paths.create_approval(page, "45", performer="admin", name="A name\nof two lines")
    assert messages.deliver() == (2, 0)
    assert [(mail["To"], mail["Subject"]) for mail in with_mail.mails] == [
        ("kamil@example.com", "A name of two lines: your decision is requested"),
        ("approver@example.com", "A name of two lines: for your information"),
    ]
    assert with_mail.mails[0].get_payload().startswith("NDA-33 Documentation\r\n")
    assert all(mail["sent_at"] for mail in snapshot.export_all()["path_mails"])
    assert messages.deliver() == (0, 0)


def test_mails_of_approval_paths_that_are_refused_stay(engine, with_mail):
    page = approval_paths.find_reference(Product.CONFLUENCE, "10068")
    approval_paths.create_approval(page, "45", performer="admin")
    with_mail.refused = "approver@"
    assert messages.deliver() == (1, 1)
    with_mail.refused = ""
    assert messages.deliver() == (1, 0)


@pytest.mark.parametrize(
    ("principal", "addresses"),
    [
        ("user:bob", ["bob@example.com"]),
        ("user:nobody", []),
        ("group:approvers", ["bob@example.com"]),
        ("group:jira-administrators", ["admin@example.com", "alice@example.com"]),
        ("role:10000/99999", []),
    ],
)
def test_addresses_of_a_principal(engine, principal, addresses):
    with engine.connection_context():
        assert stored.find_addresses(engine, principal) == addresses


def test_addresses_of_a_role_are_those_of_its_users_and_groups_each_once(engine):
    document = snapshot.export_all()
    role = {"role_id": document["project_roles"][0]["id"], "users": ["bob", "dave"], "groups": ["approvers"]}
    document["projects"][0]["roles"] = [role]
    document["users"] = [
        {**user, "is_active": False} if user["username"] == "dave" else user for user in document["users"]
    ]
    snapshot.import_all(document)
    with engine.connection_context():
        principal = f"role:{document['projects'][0]['id']}/{role['role_id']}"
        assert stored.find_addresses(engine, principal) == ["bob@example.com"]
