"""Alerts, with the portal's decisions laid over them, and the decisions in force, over REST."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Case, CharField, Model, QuerySet, TextField, Value, When
from django.db.models.functions import Cast
from rest_framework import serializers

from apps.accounts.scope import TeamScope
from apps.mirror.models import PlatformAlert
from apps.mirror.rest.filters import Declared, WordFilter, flag, moments, words
from apps.mirror.rest.views import RowsViewSet
from apps.triage import overlay
from apps.triage.models import AlertTriage

INCIDENTS = ("blackscreen", "freeze", "errors", "audio_loss", "macroblocks")


class AlertStateFilter(WordFilter):
    """Alerts by how they stand, the portal's decisions included."""

    many = False

    def __init__(self) -> None:
        super().__init__("status", overlay.STATES, help_text="How the alert stands, decisions of the portal included.")

    def cheap(self, model: type[Model], values: Sequence[str]) -> bool:
        return "discarded" not in values

    def filter(self, qs: Any, value: Any) -> Any:
        return overlay.in_state(qs, value)


class DecisionSummary(serializers.Serializer[Any]):
    """What somebody decided in the portal."""

    state = serializers.ChoiceField(choices=AlertTriage.State.choices)
    actor = serializers.CharField()
    at = serializers.DateTimeField()
    comment = serializers.CharField(allow_blank=True)


def _alert_filters() -> dict[str, Declared]:
    return {
        **moments("start_time"),
        **words("host", "host_name"),
        **words("device", "device_id"),
        **words("device_name", "device_name"),
        **words("type", "incident_type", *INCIDENTS),
        **words("status", "status", "active", "resolved"),
        "state": AlertStateFilter(),
        **flag("checked", "checked"),
    }


class AlertList(RowsViewSet):
    """An incident that a host saw in a device's picture or sound; `state` and `decision` are the portal's."""

    model = PlatformAlert
    big = True
    fields = (
        "id", "host_name", "device_id", "device_name", "incident_type", "status", "consecutive_count",
        "start_time", "end_time", "metadata", "created_at", "updated_at", "checked", "check_type", "discard",
        "discard_type", "discard_comment",
    )  # fmt: skip
    filters = _alert_filters()

    @classmethod
    def computed(cls) -> dict[str, Any]:
        return {
            "state": serializers.ChoiceField(choices=[*overlay.STATES, "unknown"], help_text="How it stands."),
            "decision": DecisionSummary(allow_null=True),
        }

    @classmethod
    def expressions(cls, now: datetime) -> Mapping[str, Any]:
        state = Case(
            When(discard=True, then=Value("discarded")),
            When(status="resolved", then=Value("resolved")),
            When(status="active", then=Value("active")),
            default=Value("unknown"),
            output_field=CharField(),
        )
        return {"state": state, "decision": Cast(Value(None), TextField())}

    def decorated(self, texts: Sequence[str]) -> Sequence[str]:
        rows = [orjson.loads(text) for text in texts]
        decisions = overlay.decisions_about(UUID(row["id"]) for row in rows if row.get("id"))
        if not decisions:
            return texts
        found = list(texts)
        for number, row in enumerate(rows):
            if decision := decisions.get(UUID(row["id"])):
                row |= {"state": _stands(row, decision), "decision": _summary(decision)}
                found[number] = orjson.dumps(row).decode()
        return found

    def decorated_values(self, names: Sequence[str], rows: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        decisions = overlay.all_decisions()
        for values in rows:
            row = dict(zip(names, values, strict=True))
            if decision := decisions.get(row.get("id")):  # type: ignore[arg-type]  # None where the column is missing
                row |= {"state": _stands(row, decision), "decision": _summary(decision)}
            yield list(row.values())


class AlertDecisionList(RowsViewSet):
    """The decision in force about one alert."""

    model = AlertTriage
    fields = (
        "id", "alert_id", "state", "comment", "actor", "at", "host_name", "device_id", "device_name", "incident_type",
        "start_time",
    )  # fmt: skip
    filters = {
        **moments("at"),
        **words("host", "host_name"),
        **words("state", "state", *AlertTriage.State.values),
    }

    def rows_of(self, scope: TeamScope) -> QuerySet[Any]:
        rows = AlertTriage.objects.all()
        return rows if scope.everything else rows.filter(host_name__in=scope.host_names)


def _stands(row: dict[str, Any], decision: AlertTriage) -> str:
    return overlay.state_of(PlatformAlert(status=row.get("status") or "", discard=row.get("discard")), decision)


def _summary(decision: AlertTriage) -> dict[str, Any]:
    return {"state": decision.state, "actor": decision.actor, "at": decision.at, "comment": decision.comment}
