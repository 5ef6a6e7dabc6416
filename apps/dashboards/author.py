"""Who changes the registry, and why: what every change of it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

from apps.accounts.models import User


@dataclass(frozen=True)
class Author:
    """A person or a process, by name, and the reason that it gives. `request` is the one that asked, where there is
    one; the audit trail then keeps its address and id too."""

    name: str
    reason: str = ""
    request: HttpRequest | None = None

    @classmethod
    def of(cls, request: HttpRequest, reason: str = "") -> Author:
        """Whoever is signed in."""
        name = request.user.get_username() if isinstance(request.user, User) else "a visitor"
        return cls(name, reason.strip(), request)

    def audited(self) -> dict[str, Any]:
        """What the audit trail is told of them."""
        who = {"request": self.request} if self.request is not None else {"actor": self.name}
        return {**who, "reason": self.reason}


ANYBODY: Final = Author("import_dashboards")
"""Who it was, where nobody signed in."""
