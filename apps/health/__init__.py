"""Is the portal well: probes, metrics, the health page, `doctor` and `processes`."""
