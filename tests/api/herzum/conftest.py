"""The site on which the tests of actions act."""

from collections.abc import Iterator

import pytest
from webtest import TestApp

from tests.api.herzum.acting import Site, whole


@pytest.fixture
def site(client: TestApp) -> Iterator[Site]:
    yield from whole(client)
