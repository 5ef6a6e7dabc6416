"""Can the two databases be reached, in what state, and do their clocks agree with ours."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import OperationalError, connections
from django.db.migrations.executor import MigrationExecutor

from apps.health.checks.configuration import given
from apps.health.findings import Verdict, failing, ok, warning
from apps.health.masking import error_text

OLDEST_VERSION = 140000
"""PostgreSQL 14, the oldest that Django 5.2 works with."""
SLOW_MILLISECONDS = 250.0
LARGEST_SKEW_SECONDS = 60.0

REASONS = (
    ("password authentication failed", "The password is refused", "Mend the user or the password in {variable}."),
    ("no password supplied", "A password is wanted and none was given", "Add it to {variable}."),
    (
        "tenant or user not found",
        "The pooler does not know the user",
        "Write the user as postgres.<project> in {variable}.",
    ),
    ("no pg_hba.conf entry", "The server lets nobody in from here", "Allow this machine in the server's pg_hba.conf."),
    (
        "does not support ssl",
        "The server speaks no TLS",
        "Add ?sslmode=disable to {variable}, if the way to it is safe.",
    ),
    ("certificate", "The server's certificate is not accepted", "Check sslmode and sslrootcert in {variable}."),
    ("could not translate host name", "The host's name is not known", "Mend the host in {variable}."),
    (
        "too many connections",
        "The server has no connection left",
        "Raise its limit, or end other programs' connections.",
    ),
    ("connection slots", "The server has no connection left", "Raise its limit, or end other programs' connections."),
    ("connection refused", "Nothing listens at the address", "Start the server, or mend host and port in {variable}."),
    ("timeout expired", "Nothing answers at the address", "Check host, port and firewalls on the way."),
    (
        "network is unreachable",
        "There is no way to the address",
        "Check the network; Supabase's direct address is IPv6.",
    ),
    ("starting up", "The server is starting", "Wait a moment."),
    ("shutting down", "The server is shutting down", "Start it again."),
    ("permission denied for database", "The role may not connect", "Grant it CONNECT on the database."),
    ("does not exist", "The database or the role does not exist", "Mend {variable}, or create it."),
)
"""Parts of libpq's and the servers' messages in lower case, what they mean, and what to do. The first one counts."""


@dataclass(frozen=True)
class Reached:
    """What a database that answers says of itself. `milliseconds` is one round trip over an open connection."""

    version: str
    version_number: int
    name: str
    role: str
    milliseconds: float


def reach(alias: str) -> Reached:
    """Connect and ask. Raises what the connection raises."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int,"
            " current_database(), current_user"
        )
        version, number, name, role = cursor.fetchone() or ("", 0, "", "")
        started = time.perf_counter()
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Reached(version, number, name, role, round((time.perf_counter() - started) * 1000, 2))


def variable(alias: str) -> str:
    """The variable that says where the alias's database is."""
    if alias == "default" and settings.PORTAL_ADDRESS is not None:
        return "PORTAL_DATABASE_URL"
    return "SUPABASE_DB_*" if given("SUPABASE_DB_HOST") and not given("DATABASE_URL") else "DATABASE_URL"


def why_away(error: Exception, name: str) -> Verdict:
    """What a failed connection means, in a sentence. `name` is the variable to mend."""
    raw = str(error).lower()
    for needle, reason, fix in REASONS:
        if needle in raw:
            return failing(f"{reason}.", fix.format(variable=name), error=error_text(error))
    return failing("It cannot be reached.", f"Check {name} and the server.", error=error_text(error))


def _reach_or_say(alias: str) -> Reached | Verdict:
    try:
        reached = reach(alias)
    except OperationalError as error:
        return why_away(error, variable(alias))
    except Exception as error:
        # The embedded server's own error is no database error; it says what to do.
        return failing("It cannot be used.", "The details say why.", error=error_text(error))
    if reached.version_number < OLDEST_VERSION:
        return failing(f"PostgreSQL {reached.version} is too old.", "Use PostgreSQL 14 or newer.")
    return reached


def _details(alias: str, reached: Reached) -> dict[str, object]:
    return {
        "version": reached.version,
        "database": reached.name,
        "role": reached.role,
        "round_trip_ms": reached.milliseconds,
        "place": getattr(connections[alias], "placement", "given"),
    }


def portal() -> Verdict:
    """Is the portal's own database there, and will its rows last."""
    reached = _reach_or_say("default")
    if isinstance(reached, Verdict):
        return reached
    details = _details("default", reached)
    short = f"PostgreSQL {reached.version.split()[0]}"
    if details["place"] == "embedded" and settings.SOURCE_ADDRESS is not None:
        return warning(
            f"{short}, on the embedded server, since the role may make no schema beside the source's tables: users, "
            "triage and audit last as long as the portal's data directory, which many containers lose at each start.",
            "Let PORTAL_DATABASE_URL name a lasting database, or grant the role CREATE on the source's database.",
            **details,
        )
    places = {"embedded": "on the embedded server", "schema": "in a schema of its own beside the source's tables"}
    return ok(f"{short}, {places.get(str(details['place']), 'at the address that was given')}.", **details)


def source() -> Verdict:
    """Is the platform's database there, and how far away."""
    reached = _reach_or_say("source")
    if isinstance(reached, Verdict):
        return reached
    details = _details("source", reached)
    text = f"PostgreSQL {reached.version.split()[0]}, {reached.milliseconds:.1f} ms for one round trip."
    if reached.milliseconds > SLOW_MILLISECONDS:
        return warning(text, "Run the portal nearer to the database: a page makes a dozen round trips.", **details)
    return ok(text, **details)


def migrations(alias: str) -> Verdict:
    """Have all migrations been applied; on a source that the portal does not own there are none."""
    if alias == "source" and settings.SOURCE_ACCESS != "own":
        return ok("None: the portal does not own these tables.")
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        return failing(
            f"{len(plan)} not applied.",
            f"Run `manage.py migrate --database {alias}`, or start the portal with `make run`.",
            waiting=", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan),
        )
    return ok("All applied.")


def clock(alias: str) -> Verdict:
    """Does the database's clock agree with this machine's: what is silent and what runs is counted between the two."""
    with connections[alias].cursor() as cursor:
        before = datetime.now(UTC)
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        after = datetime.now(UTC)
        (theirs,) = cursor.fetchone() or (0.0,)
    ours = (before.timestamp() + after.timestamp()) / 2
    skew = theirs - ours
    details = {"skew_seconds": round(skew, 3)}
    if abs(skew) > LARGEST_SKEW_SECONDS:
        side = "ahead of" if skew > 0 else "behind"
        return warning(
            f"{abs(skew):.0f} s {side} this machine's clock: ages, silent hosts and running scripts are counted wrong.",
            "Set both clocks by NTP.",
            **details,
        )
    return ok(f"Agrees to {max(abs(skew), 0.001):.3f} s.", **details)
