"""What the log looks like."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from herzum_approval import config
from herzum_approval.app import write_log

logger = logging.getLogger("herzum_approval.somewhere")


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers.clear()
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("root")
def test_one_line_of_json_each_with_what_is_noted() -> None:
    stream = StringIO()
    write_log("INFO", stream)
    logger.debug("not this")
    logger.info("login %s", "OK", extra={"username": "bob\nadmin"})
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        logger.exception("unforeseen error", extra={"request_id": "request-1"})
    login, error = map(json.loads, stream.getvalue().splitlines())
    assert login.pop("timestamp")
    assert login == {
        "event": "login OK",
        "level": "info",
        "logger": "herzum_approval.somewhere",
        "username": "bob\nadmin",
    }
    assert error["level"] == "error"
    assert error["request_id"] == "request-1"
    assert error["exception"].startswith("Traceback")
    assert error["exception"].endswith("RuntimeError: broken")


def test_level_is_one_of_four() -> None:
    with pytest.raises(ValueError, match="log_level is DEBUG"):
        config.load({}, log_level="LOUD")
