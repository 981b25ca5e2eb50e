"""How a request becomes the use of an API key: `Authorization: Bearer`, a privilege for each operation."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request

from herzum_approval.api.family import View
from herzum_approval.domain.api_keys import Privilege
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import api_keys

FAULTS = (
    Fault.KEY_REQUIRED,
    Fault.KEY_UNKNOWN,
    Fault.KEY_NOT_VALID_NOW,
    Fault.ADDRESS_NOT_ALLOWED,
    Fault.PRIVILEGE_MISSING,
)
"""What a request meets before anything of it is looked at, in this order."""

PERFORMER_FAULTS = (Fault.PERFORMER_UNRESOLVED, Fault.PERFORMER_OUTSIDE_GROUP)
"""What a request meets that has to act in somebody's name."""


def allows(privilege: Privilege) -> Callable[[View], View]:
    """Let a request pass whose key may be used for this, and give the key to the view. Raises: `FAULTS`."""

    def decorator(view: View) -> View:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            key = api_keys.use_key(
                _value(),
                privilege,
                peer=request.remote_addr,
                forwarded_for=request.headers.get("X-Forwarded-For"),
            )
            return view(key, *args, **kwargs)

        return wrapper

    return decorator


def _value() -> str:
    scheme, _, value = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not value.strip():
        raise Problem(Fault.KEY_REQUIRED)
    return value.strip()
