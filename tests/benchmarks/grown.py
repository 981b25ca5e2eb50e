"""A database that grew: the records of a small site, many times over, written by bare statements."""

from peewee import Database, SqliteDatabase

from herzum_approval import config, store
from herzum_approval.services import snapshot
from herzum_approval.store.rows import columns
from herzum_approval.store.tables import Candidate, Issue, IssueApproval, Table
from tests.benchmarks.many_records import many_records

SEED = 1000
"""Records of the small site: 50 of `fifty0`, the rest of `rest`."""


def grow(database: Database, records: int) -> None:
    """Put a site of so many records into the database. records: a multiple of 1,000."""
    with config.active(config.Settings(bcrypt_cost=4)), store.active(database):
        store.migrate(database)
        snapshot.import_all(many_records(SEED, pairs=0, fifties=1))
        with database.connection_context():
            there = 1
            while there < records // SEED:
                more = min(there, records // SEED - there)
                with database.atomic():
                    for table in (Issue, IssueApproval, Candidate):
                        _repeat(database, table, there, more)
                there += more
            _settle(database)


def empty(database: Database) -> None:
    """Leave nothing in a PostgreSQL database."""
    with database.connection_context():
        database.execute_sql("DROP SCHEMA public CASCADE")
        database.execute_sql("CREATE SCHEMA public")


_SHIFTED = {
    Issue: {"id": SEED // 2},
    IssueApproval: {"id": SEED, "issue_id": SEED // 2},
    Candidate: {"issue_approval_id": SEED},
}
"""By how much the numbers of each further small site are higher than those of the one before."""


def _repeat(database: Database, table: type[Table], there: int, more: int) -> None:
    """Write the first `more` of the small sites again, behind the `there` that are there."""
    shifted = _SHIFTED[table]
    number = next(iter(shifted))

    def value(name: str) -> str:
        if name == "key":
            return f"'BIG-' || (id + {there * SEED // 2})"
        return f"{name} + {there * shifted[name]}" if name in shifted else name

    names, last = columns(table), more * shifted[number]
    # `fifty0` has as many records to act on at every size.
    others = " AND principal <> 'user:fifty0'" if table is Candidate else ""
    database.execute_sql(
        f"INSERT INTO {table._meta.table_name} ({', '.join(names)}) "
        f"SELECT {', '.join(map(value, names))} FROM {table._meta.table_name} "
        f"WHERE {number} <= {last}{others}"
    )


def _settle(database: Database) -> None:
    if isinstance(database, SqliteDatabase):
        database.execute_sql("ANALYZE")
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    database.execute_sql("VACUUM ANALYZE")
