"""The registry of dashboards: folders, dashboards, import, checks. It does not know that Grafana exists."""
