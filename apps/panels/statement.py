"""What of a query's text is refused before a database sees it, and how the rest is sent.

Three walls stand between a dashboard's SQL and the database; each holds alone for what it is there for:

1. the role: a login role that can only SELECT (`reader`);
2. the transaction: READ ONLY, and rolled back in the end. SQL cannot make it writable again, since PostgreSQL refuses
   that after the first snapshot; what only a commit does (NOTIFY) never happens;
3. the text: one query, judged by PostgreSQL's own grammar, that names no function which reaches out of its transaction.
"""

from __future__ import annotations

import re
import secrets
from itertools import pairwise
from typing import Final

from apps.panels.errors import PanelError
from apps.panels.sqltext import Kind, SqlTextError, significant, single_statement

FORBIDDEN: Final = (
    # Locks that outlive the statement and that the portal itself may wait for.
    r"pg_(?:try_)?advisory_\w+",
    # Messages to other sessions, and other sessions' lives.
    "pg_notify",
    "pg_(?:cancel|terminate)_backend",
    # Settings of the session: the time limit is one of them.
    "set_config",
    # SQL from a text: what it runs would be read by nobody.
    r"(?:query|cursor|table|schema|database)_to_xml\w*",
    "ts_stat",
    "ts_rewrite",
    r"dblink\w*",
    r"crosstab\w*",
    r"connectby",
    # Writing that a READ ONLY transaction lets pass in some versions.
    r"lo_\w+",
    "lo(?:read|write)",
    "pg_logical_emit_message",
    "pg_export_snapshot",
    r"pg_replication_\w+",
    r"pg_(?:create|drop|copy)_\w+slot",
    r"pg_logical_slot_\w+",
    r"pg_stat_(?:reset\w*|force_next_flush)",
    "nextval",
    "setval",
    # The server's files, programs and life.
    r"pg_read_\w+",
    r"pg_ls_\w+",
    "pg_stat_file",
    r"pg_file_\w+",
    "pg_(?:reload_conf|rotate_logfile|switch_wal|promote)",
    r"pg_(?:start|stop)_backup",
    r"pg_backup_\w+",
    "pg_log_backend_memory_contexts",
    # Other machines (the extensions http, pg_net and those of foreign data).
    r"http_(?:get|post|put|delete|head|patch)",
    r"postgres_fdw_\w+",
)
"""Names, as regular expressions, that a query may hold nowhere: not as code, not in a literal (which dynamic SQL could
run), not in a comment. So no mistake about where a literal ends can let one pass. On a server of our own the role has
no right to them either; elsewhere everybody has the right to most of them."""

FORBIDDEN_TO_PORTAL: Final = (
    # What tells of the portal's own tables (statistics hold values), and of what it asks just now.
    r"pg_stats\w*",
    r"pg_statistic\w*",
    r"pg_stat_(?:activity|statements\w*)",
    r"pg_stat_get_(?:activity|backend_\w+)",
)
"""Names that a query may not hold either where it runs by the role that the portal itself works by."""
PORTAL_SCHEMAS: Final = frozenset({"vptmonitor", "vptmonitor_panels"})

_NAMES: Final = re.compile(rf"(?<![\w$])(?:{'|'.join(FORBIDDEN)})(?![\w$])", re.IGNORECASE)
_PORTAL_NAMES: Final = re.compile(rf"(?<![\w$])(?:{'|'.join(FORBIDDEN_TO_PORTAL)})(?![\w$])", re.IGNORECASE)
_ESCAPED_NAME: Final = re.compile(r"(?<![\w$])U&\s*\"", re.IGNORECASE)
_QUERY_WORDS: Final = re.compile(r"[\s(]*(?:select|with|values|table)\b", re.IGNORECASE)

TOO_LARGE: Final = "vptmonitor: too large"
_SIZE: Final = '"vptmonitor size"'


def single_query(sql: str, *, by_portal: bool = False) -> str:
    """The one query that `sql` holds, without the semicolons and comments behind it. `by_portal` says that it will run
    by the portal's own role.

    Raises PanelError (`refused`) for several statements, text that is never closed, forbidden names, and characters
    that no PostgreSQL text can hold. That it is a query, and one, is for the server to confirm: see `checked`.
    """
    try:
        statement = single_statement(sql)
        statement.encode()
    except SqlTextError as problem:
        raise PanelError("refused", f"{problem}.", fix="Edit the panel's query.") from None
    except UnicodeEncodeError:
        raise PanelError("refused", "The query holds a character that is no valid text.") from None
    found = _NAMES.search(statement) or (_PORTAL_NAMES.search(statement) if by_portal else None)
    if found:
        name = found.group().lower()
        raise PanelError(
            "refused",
            f"A panel's query may not use {name}.",
            position=found.start() + 1,
            fix="Dashboards only read tables; take the function, or the word in a text or comment, out of the query.",
        )
    if found := _ESCAPED_NAME.search(statement):
        raise PanelError(
            "refused",
            'A panel\'s query may not hold names with escapes (U&"...").',
            position=found.start() + 1,
            fix="Write the name with its own characters.",
        )
    if by_portal and _reads_portal(statement):
        raise PanelError("refused", "A panel's query may not read the portal's own tables.", fix="Edit the query.")
    return statement


def _reads_portal(statement: str) -> bool:
    parts = [token for token in significant(statement) if token.kind is not Kind.COMMENT]
    return any(
        following.text == "." and token.text.lower().strip('"') in PORTAL_SCHEMAS
        for token, following in pairwise(parts)
    )


def looks_like_query(statement: str) -> bool:
    """Whether it begins as a query does, comments aside: only for a better message than a syntax error."""
    plain = re.sub(r"/\*.*?\*/|--[^\n]*", " ", statement, flags=re.DOTALL)
    return _QUERY_WORDS.match(plain) is not None


def checked(statement: str, *, rows: int, size: int) -> tuple[str, int]:
    """The text that runs `statement` and nothing else, and the number of characters before the statement in it.

    First a cursor is opened for the statement as a text, in PL/pgSQL, and closed again. It plans the statement and runs
    nothing; PostgreSQL refuses it for anything but one statement that returns rows, by its own grammar, whatever we
    think of the quotes in it. An error there ends the whole message. Only then comes the statement in parentheses,
    which a text that is one query by itself cannot leave.

    At most `rows` + 1 rows come back (one more tells that there were more); a result over `size` bytes is an error
    whose message holds `TOO_LARGE`. A last column is added: the bytes so far. A cursor could limit rows too, but would
    rule out parallel plans.
    """
    tag = f"$vpt{secrets.token_hex(8)}"
    check = (
        f"DO LANGUAGE plpgsql {tag}_do$DECLARE c refcursor; "
        f"BEGIN OPEN c NO SCROLL FOR EXECUTE {tag}$\n{statement}\n{tag}$; CLOSE c; END{tag}_do$;\n"
    )
    # A cast that fails, since no built-in function raises; it depends on the row, so it is not computed beforehand.
    sized = f"SELECT q.*, sum(pg_column_size(q)) OVER (ROWS UNBOUNDED PRECEDING) AS {_SIZE}"
    head = f"{check}SELECT * FROM ({sized} FROM (SELECT * FROM (\n"  # noqa: S608 -- to run a dashboard's SQL
    foot = (
        f"\n) q LIMIT {rows + 1}) q) q WHERE CASE WHEN {_SIZE} <= {size} THEN true"
        f" ELSE ({_SIZE} || ' bytes, {TOO_LARGE}')::boolean END"
    )
    return f"{head}{statement}{foot}", len(head)
