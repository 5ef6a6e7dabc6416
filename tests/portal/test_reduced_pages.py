"""Whatever one table or one column the connected database lacks, every page and every list of the admin opens.

Pages that do not read a table cannot notice that it, or a column of it, is missing: which statements a page runs on
which table is captured on the complete database. Three rounds over every mirrored table:

* the table is gone: every page that reads it is opened, and those that tell what is missing;
* all its columns but the key are gone at once: the same pages;
* one column is gone: the table's own list in the admin, and as few pages as say all that any page says of the column:
  selects it, joins by it, filters or sorts by it in some way. To the database, pages that say the same of a column are
  the same when it is missing; what Python makes of unknown values was seen in the second round. Where pages are as
  good as each other, it is the turn of the one that was opened least.

`make soak` opens every page, the admin's forms too, for every single column.
"""

from __future__ import annotations

import re
from collections import Counter
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
from tests.pages import content_of, crawl
from tests.people import signed_in

pytestmark = [pytest.mark.django_db(databases=["default", "source"]), pytest.mark.timeout(600)]

TABLES = [model._meta.db_table for model in mirrored_models()]
KEYS = {model._meta.db_table: str(model._meta.pk.column) for model in mirrored_models()}
LISTS = {model._meta.db_table: f"/admin/mirror/{model._meta.model_name}/" for model in mirrored_models()}
TELLING = ("/", "/health/")
STYLEGUIDE = "portal:styleguide"
FILTERED = ("/runs/?state=running&q=a", "/runs/?range=all&format=csv", "/alerts/?q=a", "/devices/?format=csv")
"""Addresses beside those that links lead to: filters and exports with statements of their own."""
PHRASE = re.compile(r", |(?=\b(?:SELECT|FROM|INNER JOIN|LEFT OUTER JOIN|WHERE|GROUP BY|ORDER BY|LIMIT)\b)")
"""Where the parts of a statement end that can be told apart."""

Statements = dict[str, set[str]]


class House:
    """A signed-in client, the pages that it reaches, and which statements each runs on which table."""

    def __init__(self, *, forms: bool = False) -> None:
        lab = Lab(at=datetime.now(UTC) - timedelta(minutes=3))
        HostTeam.objects.create(host_name=lab.host, team_id=lab.team_id, team_name=lab.name)
        person = User.objects.create_superuser("root", password="made for a test", all_teams=True)
        self.client: Client = signed_in(person)
        linked = crawl(self.client, forms=forms)
        self.pages = [*(page for page, route in linked.items() if route != STYLEGUIDE), *FILTERED]
        self.opened: Counter[str] = Counter()
        self.reads: dict[str, Statements] = {page: self._statements(page) for page in self.pages}

    def _statements(self, page: str) -> Statements:
        with CaptureQueriesContext(connections[SOURCE]) as captured:
            content_of(self.client.get(page))
        found: Statements = {}
        for query in captured:
            statement = re.sub(r"'[^']*'(::\w+)?|\b\d+\b", "?", query["sql"])
            for table in set(re.findall(r'"(\w+)"', statement)) & set(TABLES):
                found.setdefault(table, set()).add(statement)
        return found

    def readers(self, table: str) -> list[str]:
        """Pages that read the table, and those that tell what is missing."""
        return [page for page in self.pages if table in self.reads[page] or page in TELLING]

    def says(self, page: str, table: str, column: str) -> set[str]:
        """The parts of the page's statements that name the column of the table."""
        found = (part for statement in self.reads[page].get(table, ()) for part in PHRASE.split(statement))
        return {part for part in found if f'"{column}"' in part}

    def cover(self, table: str, column: str) -> list[str]:
        """The table's own list and a few pages that say the rest of all that any page says of the column."""
        said = {page: self.says(page, table, column) for page in self.pages}
        chosen = [LISTS[table]]
        left = set().union(*said.values()) - said[LISTS[table]]
        while left:
            best = max(self.pages, key=lambda page: (len(said[page] & left), -self.opened[page]))
            left -= said[best]
            chosen.append(best)
        return chosen

    def open(self, pages: list[str], lacking: str) -> dict[str, str]:
        """The text of the pages; a page may say that what it is about is not there, and never fails."""
        self.opened.update(pages)
        texts = {}
        for page in pages:
            try:
                answer = self.client.get(page)
                texts[page] = content_of(answer)  # an export runs while it is read
                status = answer.status_code
                # A form about rows of a table that is not there is refused in words.
                refusal = {403} if page.endswith(("/add/", "/delete/")) else set()
                assert status in {200, 302, 404} | refusal, status
            except Exception as error:
                error.add_note(f"{page} while {lacking} was missing")
                raise
        return texts


def columns(table: str) -> Iterator[str]:
    yield from (column for column in mirrored_columns()[table] if column != KEYS[table])


def test_pages_and_lists_open_without_any_one_table_or_column() -> None:
    house = House()
    paths = {page.partition("?")[0] for page in house.pages}
    assert set(LISTS.values()) <= paths
    assert {"/", "/devices/", "/alerts/", "/system/", "/health/", "/search/"} <= paths
    assert {table for page in house.pages for table in house.reads[page]} == set(TABLES)
    for table in TABLES:
        with without_table(table):
            house.open(house.readers(table), table)
        with ExitStack() as gone:
            for column in columns(table):
                gone.enter_context(without_column(table, column))
            house.open(house.readers(table), f"all of {table} but its key")
        for column in mirrored_columns()[table]:
            pages = house.cover(table, column)
            with without_column(table, column):
                own = house.open(pages, f"{table}.{column}")[LISTS[table]]
            assert f"lacks the column {column}" in own
            assert "Rows 1 to 1" in own


@pytest.mark.soak
@pytest.mark.parametrize("table", TABLES)
def test_every_page_opens_without_a_table_or_any_one_column(table: str) -> None:
    house = House(forms=True)
    with without_table(table):
        house.open(house.pages, table)
    for column in mirrored_columns()[table]:
        with without_column(table, column):
            house.open(house.pages, f"{table}.{column}")
