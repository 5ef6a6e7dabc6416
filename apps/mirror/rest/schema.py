"""How lists are described in the API's schema: their filters, orders and pages."""

from __future__ import annotations

from typing import Any

from apps.accounts.openapi import FINDING, ApiSchema
from apps.mirror.rest.filters import MOST_VALUES
from apps.mirror.rest.paging import MOST_ROWS, USUAL_ROWS


class RowsSchema(ApiSchema):
    """Describes a `RowsViewSet`."""

    def is_list(self) -> bool:
        """Whether it is the list, and not one row."""
        return getattr(self.view, "action", "") == "list"

    def problems(self) -> dict[str, str]:
        found = {**super().problems(), **FINDING, "504": "The database took too long; narrow the question."}
        if not self.is_list():
            found.pop("400", None)
        return found

    def _get_parameters(self) -> list[dict[str, Any]]:
        return [*super()._get_parameters(), *(self._list_parameters() if self.is_list() else [])]

    view: Any

    def get_description(self) -> str:  # type: ignore[override]  # the class above it takes none either
        about = " ".join((self.view.__doc__ or "").split())
        return f"{about} Rows that the caller may see, by pages." if self.is_list() else f"{about} One row."

    def _list_parameters(self) -> list[dict[str, Any]]:
        view = self.view
        found = []
        for name, declared in view.filters.items():
            one: dict[str, Any] = {"in": "query", "name": name, "description": str(declared.extra.get("help_text", ""))}
            one["schema"] = dict(declared.schema)
            if declared.many:
                one["schema"] = {"type": "array", "items": dict(declared.schema), "maxItems": MOST_VALUES}
                one |= {"style": "form", "explode": True}
            found.append(one)
        limit = {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": USUAL_ROWS}
        orders = list(view.orders)
        return [
            *found,
            _query("limit", limit, "Rows on a page; of CSV, rows in all (without it: all)."),
            _query("cursor", {"type": "string"}, "Where the page begins: taken from `next` or `previous`."),
            _query("ordering", {"type": "string", "enum": orders, "default": orders[0]}, "Which rows come first."),
        ]


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"in": "query", "name": name, "schema": schema, "description": description}
