"""What the doors' tests share."""

from typing import Any

import pytest
from webtest import TestApp


@pytest.fixture
def shortcuts(client: TestApp) -> Any:
    """The application that goes the short way where it can."""
    return client.app.wsgi_app.app
