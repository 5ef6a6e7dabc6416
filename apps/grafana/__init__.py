"""All that talks to a Grafana."""
