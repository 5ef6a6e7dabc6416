"""What the portal relies on of a Grafana, asked of the double in three versions, or of a real one.

`GRAFANA_TEST_URL` names a real Grafana, with `GRAFANA_TEST_TOKEN`, or `GRAFANA_TEST_USER` and `GRAFANA_TEST_PASSWORD`
(an administrator of the organisation). What the tests make there they take away.
"""
