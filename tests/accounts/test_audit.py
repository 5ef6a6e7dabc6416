"""What the audit trail keeps, hides, and never loses."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory

from apps.accounts.audit import HIDDEN, record, snapshot
from apps.accounts.models import AuditEntry, HostTeam, User
from tests.people import TEAM_A, TEAM_B

pytestmark = pytest.mark.django_db
Action = AuditEntry.Action


def assert_refused(statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match="the audit trail only grows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_entries_are_neither_changed_nor_deleted_nor_emptied_out() -> None:
    record(Action.COMMAND, reason="something")
    assert_refused("UPDATE accounts_auditentry SET actor = 'somebody else'")
    assert_refused("DELETE FROM accounts_auditentry")
    assert_refused("DELETE FROM accounts_auditentry WHERE false")
    with connection.cursor() as cursor:
        # PostgreSQL alters no table that has deferred constraint checks waiting.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE accounts_auditentry ENABLE TRIGGER audit_keeps_table")
    assert_refused("TRUNCATE accounts_auditentry CASCADE")
    assert AuditEntry.objects.get().actor == "process manage"


def test_only_what_changed_is_kept(alice: User) -> None:
    host = HostTeam.objects.create(host_name="rack-c", team_id=TEAM_A, team_name="Team A")
    before = snapshot(host)
    host.team_id, host.team_name = TEAM_B, "Team B"
    entry = record(Action.CHANGE, actor=alice, obj=host, before=before, after=snapshot(host))
    entry.refresh_from_db()
    assert entry.before == {"team_id": str(TEAM_A), "team_name": "Team A"}
    assert entry.after == {"team_id": str(TEAM_B), "team_name": "Team B"}
    assert (entry.kind, entry.object_id, entry.label) == ("accounts.hostteam", str(host.pk), "rack-c → Team B")
    assert (entry.actor_id, entry.actor) == (alice.pk, "alice")


def test_secrets_are_hidden_at_any_depth_and_their_change_is_still_seen(alice: User) -> None:
    before = snapshot(alice)
    alice.set_password("another long one")
    entry = record(Action.CHANGE, obj=alice, before=before, after=snapshot(alice))
    assert (entry.before, entry.after) == ({"password": HIDDEN}, {"password": HIDDEN})
    nested = {
        "configuration": {
            "host": "h",
            "steps": [{"apiKey": "k", "api_token": "t", "Authorization": "b"}],
            "password": "",
        }
    }
    entry = record(Action.ADD, after=nested)
    assert entry.after == {
        "configuration": {
            "host": "h",
            "steps": [{"apiKey": HIDDEN, "api_token": HIDDEN, "Authorization": HIDDEN}],
            "password": "",
        }
    }


def test_any_value_of_a_column_can_be_kept() -> None:
    values = {
        "moment": datetime(2026, 1, 2, tzinfo=UTC), "number": Decimal("1.50"), "id": UUID(int=1), "nan": float("nan"),
        "nul": "a\0b", "bytes": b"1234", "set": {1}, "long": "x" * 30_000, "none": None, "yes": True,
    }  # fmt: skip
    entry = record(Action.ADD, after=values)
    entry.refresh_from_db()
    assert entry.after == {
        "moment": "2026-01-02T00:00:00+00:00", "number": "1.50", "id": str(UUID(int=1)), "nan": "nan", "nul": "ab",
        "bytes": "(4 bytes)", "set": [1], "long": "(30002 characters)", "none": None, "yes": True,
    }  # fmt: skip


def test_texts_too_long_for_their_column_are_cut() -> None:
    entry = record(Action.REFUSED, actor="a" * 500, kind="k" * 500, label="l\0" * 500, object_id="i" * 500)
    entry.refresh_from_db()
    assert (len(entry.actor), len(entry.kind), len(entry.label), len(entry.object_id)) == (200, 100, 300, 200)


def test_a_request_without_a_signed_in_person_is_a_visitors() -> None:
    entry = record(Action.REFUSED, request=RequestFactory().get("/", REMOTE_ADDR="192.0.2.4"))
    entry.refresh_from_db()
    assert (entry.actor, entry.address) == ("a visitor", "192.0.2.4")


def test_a_change_and_its_entry_stand_or_fall_together(alice: User) -> None:
    def change_and_fail() -> None:
        with transaction.atomic():
            User.objects.filter(pk=alice.pk).update(first_name="Changed")
            record(Action.CHANGE, obj=alice)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()
    alice.refresh_from_db()
    assert (alice.first_name, AuditEntry.objects.count()) == ("", 0)
