"""In what the versions of Grafana differ, as far as a client sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Flavour:
    """`api_versions` are those of dashboards in `/apis`, none for Grafanas without it.

    `unified`: dashboards and folders live in the storage behind `/apis`, with all that follows from it: nested folders,
    titles that may stand twice, no new version for the same body, uids of folders beside those of dashboards.
    """

    version: str
    unified: bool
    api_versions: tuple[str, ...] = ()
    refuses_new_schema: bool = False


V9 = Flavour("9.3.2", unified=False)
V12 = Flavour("12.4.0", unified=True, api_versions=("v1beta1", "v0alpha1", "v2beta1", "v2alpha1"))
V13 = Flavour(
    "13.0.1",
    unified=True,
    api_versions=("v1", "v2", "v1beta1", "v0alpha1", "v2beta1", "v2alpha1"),
    refuses_new_schema=True,
)
