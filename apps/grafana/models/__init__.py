"""The Grafanas, what the portal knows of its dashboards in them, and the runs of the sync."""

from apps.grafana.models.instance import OWN_VARIABLE, GrafanaInstance, link_address, mapping, web_address
from apps.grafana.models.placement import FolderGrant, FolderPlacement, LibraryPanel, LibraryPlacement, Placement
from apps.grafana.models.runs import SyncPause, SyncRun, SyncStep

__all__ = [
    "OWN_VARIABLE",
    "FolderGrant",
    "FolderPlacement",
    "GrafanaInstance",
    "LibraryPanel",
    "LibraryPlacement",
    "Placement",
    "SyncPause",
    "SyncRun",
    "SyncStep",
    "link_address",
    "mapping",
    "web_address",
]
