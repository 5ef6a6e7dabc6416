"""The way to Grafana: `/grafana/` of the portal, HTTP and WebSocket, for people whom the portal knows.

`application.GrafanaProxy` is the ASGI application. What it decides is in `paths` (which addresses can mean one thing
only), `rules` (who may reach which), `headers` (what goes through), `visitors` (who asks), `queries` (which SQL of a
viewer's goes through) and `live_messages` (what a viewer may say over Grafana Live).
"""
