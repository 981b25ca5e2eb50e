"""Messages: what would be mailed is kept as rows, and sent where a mail server is configured."""

import logging
import smtplib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from functools import partial
from typing import NamedTuple

from herzum_approval import clock, config
from herzum_approval.domain.approval_paths import MailKind
from herzum_approval.domain.history import MessageKind
from herzum_approval.store import messages as stored
from herzum_approval.store import path_sendings, reading, writing
from herzum_approval.store.messages import Unsent
from herzum_approval.store.path_sendings import UnsentMail

logger = logging.getLogger(__name__)

Send = Callable[[EmailMessage], object]

_AT_ONCE = 200
_SUBJECTS = {
    MessageKind.REQUEST: "[{key}] {approval}: your approval is requested",
    MessageKind.REPLY: "[{key}] {approval}: {status}",
}
_PATH_SUBJECTS = {
    MailKind.REQUEST: "{name}: your decision is requested",
    MailKind.NOTICE: "{name}: for your information",
}


class Delivery(NamedTuple):
    """How a delivery ended: messages sent, and left because the mail server refused them."""

    sent: int
    left: int


def deliver() -> Delivery:
    """Send every message that waits, oldest first; without a mail server nothing is sent.

    A message is marked once the mail server has taken it, so after a crash in between it is sent
    again rather than lost. One whose recipients have no address is marked without being sent.
    Raises: ValueError where no mail server is configured; OSError where it cannot be reached.
    """
    if not config.current().smtp_host:
        raise ValueError("No mail server is configured: set HERZUM_APPROVAL_SMTP_HOST.")
    sent = left = after = 0
    with _mail_server() as send:
        while batch := _unsent(after):
            after = batch[-1].id
            for message in batch:
                delivered = _sent(message, send)
                sent, left = sent + delivered, left + (not delivered)
        path_sent, path_left = _deliver_path_mails(send)
    sent, left = sent + path_sent, left + path_left
    return Delivery(sent, left)


def _unsent(after: int) -> list[Unsent]:
    with reading() as database:
        return stored.read_unsent(database, after, _AT_ONCE)


@contextmanager
def _mail_server() -> Iterator[Send]:
    settings = config.current()
    with smtplib.SMTP(
        settings.smtp_host, settings.smtp_port, timeout=settings.smtp_timeout_seconds
    ) as server:
        if settings.smtp_starttls:
            server.starttls()
        if settings.smtp_username:
            server.login(settings.smtp_username, settings.smtp_password)
        yield server.send_message


def _sent(message: Unsent, send: Send) -> bool:
    with reading() as database:
        addresses = stored.find_addresses(database, message.recipient)
    try:
        if addresses:
            send(_mail(message, addresses))
    except smtplib.SMTPException as error:
        logger.warning("a message could not be sent", extra={"message_id": message.id}, exc_info=error)
        return False
    writing(partial(stored.mark_sent, message=message, now=clock.now()), is_daily=True)
    return True


def _mail(message: Unsent, addresses: Iterable[str]) -> EmailMessage:
    mail = EmailMessage()
    subject = _SUBJECTS[message.kind].format(
        key=message.issue_key, approval=message.approval_name, status=message.approval_status
    )
    mail["Subject"] = " ".join(subject.split())
    mail["From"] = config.current().smtp_sender
    mail["To"] = ", ".join(addresses)
    mail.set_content(f"{message.issue_key} {message.issue_summary}\n{subject}\n")
    return mail


# -- approval paths ---------------------------------------------------------------------------


def _deliver_path_mails(send: Send) -> Delivery:
    """Send what runs of approval paths would mail; the rules are those of `deliver`."""
    sent = left = after = 0
    while batch := _unsent_path_mails(after):
        after = batch[-1].id
        for waiting in batch:
            delivered = _path_mail_sent(waiting, send)
            sent, left = sent + delivered, left + (not delivered)
    return Delivery(sent, left)


def _unsent_path_mails(after: int) -> list[UnsentMail]:
    with reading() as database:
        return path_sendings.read_unsent_mails(database, after, _AT_ONCE)


def _path_mail_sent(waiting: UnsentMail, send: Send) -> bool:
    kind, _, address = waiting.recipient.partition(":")
    with reading() as database:
        is_address = kind == "email"
        addresses = [address] if is_address else stored.find_addresses(database, waiting.recipient)
    try:
        if addresses:
            send(_path_mail(waiting, addresses))
    except (smtplib.SMTPException, ValueError) as error:  # an address that no header can hold
        logger.warning("a mail could not be sent", extra={"path_mail_id": waiting.id}, exc_info=error)
        return False
    writing(partial(path_sendings.mark_mail_sent, mail_id=waiting.id, now=clock.now()), is_daily=True)
    return True


def _path_mail(waiting: UnsentMail, addresses: Iterable[str]) -> EmailMessage:
    mail = EmailMessage()
    subject = " ".join(_PATH_SUBJECTS[waiting.kind].format(name=waiting.path_name).split())
    mail["Subject"] = subject
    mail["From"] = config.current().smtp_sender
    mail["To"] = ", ".join(addresses)
    mail.set_content(f"{waiting.summary}\n{subject}\n")
    return mail
