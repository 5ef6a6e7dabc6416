"""Whatever one table or one column the connected database lacks, every page and every list of the admin opens.

Pages that do not read a table cannot notice that it, or a column of it, is missing: which statements a page runs on
which table is captured on the complete database. Three rounds over every mirrored table:

* the table is gone: every page that reads it is opened, and those that tell what is missing;
* all its columns but the key are gone at once: the same pages;
* one column is gone: as few pages as run all statements that read the table. Two pages that run the same statement
  (but for its values) are the same to a missing column, as far as the database is concerned; what Python makes of an
  unknown value was seen in the second round.

`make soak` opens every page, the admin's forms too, for every single column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import HostTeam, User
from apps.mirror.shape import SOURCE, mirrored_columns, mirrored_models
from tests.mirror.reduced import without_column, without_table
from tests.mirror.rows import Lab
from tests.pages import crawl
from tests.people import signed_in

pytestmark = [pytest.mark.django_db(databases=["default", "source"]), pytest.mark.timeout(600)]

TABLES = [model._meta.db_table for model in mirrored_models()]
KEYS = {model._meta.db_table: str(model._meta.pk.column) for model in mirrored_models()}
TELLING = ("/", "/health/")
STYLEGUIDE = "portal:styleguide"

Statements = dict[str, set[str]]


class House:
    """A signed-in client, the pages that it reaches, and which statements each runs on which table."""

    def __init__(self, *, forms: bool = False) -> None:
        lab = Lab(at=datetime.now(UTC) - timedelta(minutes=3))
        HostTeam.objects.create(host_name=lab.host, team_id=lab.team_id, team_name=lab.name)
        person = User.objects.create_superuser("root", password="made for a test", all_teams=True)
        self.client: Client = signed_in(person)
        self.pages = [page for page, route in crawl(self.client, forms=forms).items() if route != STYLEGUIDE]
        self.reads: dict[str, Statements] = {page: self._statements(page) for page in self.pages}

    def _statements(self, page: str) -> Statements:
        with CaptureQueriesContext(connections[SOURCE]) as captured:
            self.client.get(page)
        found: Statements = {}
        for query in captured:
            statement = re.sub(r"'[^']*'(::\w+)?|\b\d+\b", "?", query["sql"])
            for table in set(re.findall(r'"(\w+)"', statement)) & set(TABLES):
                found.setdefault(table, set()).add(statement)
        return found

    def readers(self, table: str) -> list[str]:
        """Pages that read the table, and those that tell what is missing."""
        return [page for page in self.pages if table in self.reads[page] or page in TELLING]

    def cover(self, table: str) -> list[str]:
        """A few pages that run every statement that reads the table."""
        left = set().union(*(self.reads[page].get(table, set()) for page in self.pages))
        chosen = []
        while left:
            best = max(self.pages, key=lambda page: len(self.reads[page].get(table, set()) & left))
            left -= self.reads[best][table]
            chosen.append(best)
        return chosen

    def open(self, pages: list[str], lacking: str) -> None:
        """Open the pages; a page may say that what it is about is not there, and never fails."""
        for page in pages:
            try:
                status = self.client.get(page).status_code
                # A form for a row of a table that is not there is refused in words.
                assert status in ({200, 302, 403, 404} if page.endswith("/add/") else {200, 302, 404}), status
            except Exception as error:
                error.add_note(f"{page} while {lacking} was missing")
                raise


def columns(table: str) -> Iterator[str]:
    yield from (column for column in mirrored_columns()[table] if column != KEYS[table])


def test_pages_and_lists_open_without_any_one_table_or_with_its_key_alone() -> None:
    house = House()
    paths = {page.partition("?")[0] for page in house.pages}
    assert {f"/admin/mirror/{model._meta.model_name}/" for model in mirrored_models()} <= paths
    assert {"/", "/devices/", "/alerts/", "/system/", "/health/", "/search/"} <= paths
    assert {table for page in house.pages for table in house.reads[page]} == set(TABLES)
    for table in TABLES:
        with without_table(table):
            house.open(house.readers(table), table)
        with ExitStack() as gone:
            for column in columns(table):
                gone.enter_context(without_column(table, column))
            house.open(house.readers(table), f"all of {table} but its key")


def test_pages_open_without_any_one_column() -> None:
    house = House()
    for table in TABLES:
        pages = house.cover(table)
        for column in mirrored_columns()[table]:
            with without_column(table, column):
                house.open(pages, f"{table}.{column}")


@pytest.mark.soak
@pytest.mark.parametrize("table", TABLES)
def test_every_page_opens_without_a_table_or_any_one_column(table: str) -> None:
    house = House(forms=True)
    with without_table(table):
        house.open(house.pages, table)
    for column in mirrored_columns()[table]:
        with without_column(table, column):
            house.open(house.pages, f"{table}.{column}")
