"""Connections to an address that was chosen before, whatever its name leads to; one request on each."""

import ssl
from collections.abc import Iterable
from functools import cache
from typing import Any

import httpcore

from herzum_approval import clock
from herzum_approval.domain.http_steps import HttpCall, Target
from herzum_approval.services.http_sender import Limits, SendingError

_AT_ONCE = 16 * 1024


def exchange(call: HttpCall, target: Target, path: str, address: str, limits: Limits) -> int:
    """Send the request to the address, and return the status of the answer. Raises: SendingError.

    Certificates are checked against the name of the target. path: with the query, as it is sent.
    """
    host = f"[{target.host}]" if ":" in target.host else target.host
    is_usual = target.port == (443 if target.scheme == "https" else 80)
    body = call.body.encode()
    headers = [
        ("Host", host if is_usual else f"{host}:{target.port}"),
        *call.header_pairs,
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    url = httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=path.encode()
    )
    backend = _Pinned(address, clock.monotonic() + limits.seconds)
    try:
        with (
            httpcore.ConnectionPool(network_backend=backend, ssl_context=_ssl_context()) as pool,
            pool.stream(
                call.method.value,
                url,
                headers=[(name.encode(), value.encode()) for name, value in headers],
                content=body,
            ) as response,
        ):
            read = 0
            for chunk in response.iter_stream():
                read += len(chunk)
                if read > limits.answer_bytes:
                    raise SendingError(f"the answer is longer than {limits.answer_bytes} bytes")
            return int(response.status)
    except httpcore.TimeoutException:
        raise SendingError(f"there was no answer within {limits.seconds:g} seconds") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError) as error:
        raise SendingError(f"{type(error).__name__}: {error}") from None


@cache
def _ssl_context() -> ssl.SSLContext:
    return httpcore.default_ssl_context()


class _Pinned(httpcore.NetworkBackend):
    """Connects to one address, and to no other, until a moment of the monotonic clock."""

    def __init__(self, address: str, deadline: float) -> None:
        self.address = address
        self.deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        # The host is the name, for the certificate; where to connect to was decided before.
        stream = httpcore.SyncBackend().connect_tcp(
            self.address, port, timeout=_remaining(self.deadline), socket_options=socket_options
        )
        return _Limited(stream, self.deadline)


class _Limited(httpcore.NetworkStream):
    """A stream whose reads and writes share one deadline, so that nobody drips an answer for ever."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self.stream = stream
        self.deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, timeout=_remaining(self.deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _AT_ONCE):
            self.stream.write(buffer[start : start + _AT_ONCE], timeout=_remaining(self.deadline))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self.stream.start_tls(ssl_context, server_hostname, timeout=_remaining(self.deadline))
        return _Limited(stream, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


def _remaining(deadline: float) -> float:
    """Return the seconds that are left. Raises: ReadTimeout where none are."""
    seconds = deadline - clock.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout
    return seconds
