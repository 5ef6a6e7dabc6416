"""Everything that is checked: a closed registry, in the order in which people read it."""

from __future__ import annotations

from functools import partial

from apps.health.checks import configuration, databases, grafana, live, machine, pooler, source
from apps.health.findings import Check, Group

CONFIGURATION = Group(
    "configuration",
    "Configuration",
    1.0,
    (
        Check("addresses", "Database addresses", configuration.addresses),
        Check("secrets", "Secrets", configuration.secrets),
        Check("debug", "Debug mode", configuration.debug),
        Check("public_address", "Public address", configuration.public_address),
    ),
)
PORTAL = Group(
    "portal",
    "The portal's own database",
    3.0,
    (
        Check("portal_database", "Portal database", databases.portal, essential=True),
        Check("portal_migrations", "Migrations", partial(databases.migrations, "default")),
        Check("portal_pooler", "Pooler before the portal database", partial(pooler.check, "default")),
        Check("portal_clock", "Clock of the portal database", partial(databases.clock, "default")),
    ),
)
SOURCE = Group(
    "source",
    "VirtualPyTest's database",
    3.0,
    (
        Check("source_database", "Source database", databases.source, essential=True),
        Check("source_pooler", "Pooler before the source", partial(pooler.check, "source")),
        Check("source_session", "Session settings", source.session),
        Check("source_migrations", "Migrations of the source", partial(databases.migrations, "source")),
        Check("source_rights", "Rights of the role", source.rights),
        Check("source_shape", "Tables and columns", source.shape),
        Check("source_clock", "Clock of the source", partial(databases.clock, "source")),
        Check("demo", "Demo lab", source.demo),
    ),
)
READER = Group("reader", "The reader role", 3.0, (Check("reader_role", "Reader role", source.reader),))
MACHINE = Group(
    "machine",
    "Processes and machine",
    1.0,
    (
        Check("processes", "Processes", machine.processes),
        Check("disk", "Disk", machine.disk),
    ),
)
GRAFANA = Group(
    "grafana",
    "Grafana",
    2.0,
    (Check("grafana", "Grafana", grafana.check), Check("grafana_others", "Other Grafanas", grafana.others)),
)

LIVE = Group("live", "Live pages", 3.0, (Check("live", "Live pages", live.check),))

GROUPS = (CONFIGURATION, PORTAL, SOURCE, READER, LIVE, MACHINE, GRAFANA)

# Asked by machines every few seconds, and so without the questions that people ask.
PORTAL_PROBE = Group("portal-probe", "", 0.8, (Check("portal_database", "Portal database", databases.portal),))
SOURCE_PROBE = Group("source-probe", "", 0.8, (Check("source_database", "Source database", databases.source),))
