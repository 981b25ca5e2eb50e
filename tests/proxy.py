"""A plain TCP proxy: what stands before several servers, and knows nothing of HTTP."""

import itertools
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType


class TcpProxy:
    """Hands each new connection to the next server in turn that takes it; a `with` block stops it."""

    def __init__(self, hostnames: Sequence[str]) -> None:
        self._addresses = [(name, int(port)) for name, _, port in (each.partition(":") for each in hostnames)]
        self._turns = itertools.cycle(range(len(hostnames)))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.hostname = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> "TcpProxy":
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._connected()
            if server is None:
                client.close()
                continue
            threading.Thread(target=_serve, args=(client, server), daemon=True).start()

    def _connected(self) -> socket.socket | None:
        for _ in self._addresses:
            try:
                return socket.create_connection(self._addresses[next(self._turns)], timeout=5)
            except OSError:
                continue
        return None


def _serve(client: socket.socket, server: socket.socket) -> None:
    """Pass on what comes from both sides until both are done."""
    with client, server:
        back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
        back.start()
        _pass_on(client, server)
        back.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what comes until either side ends, then end both."""
    source.settimeout(None)
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (sink, source):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
