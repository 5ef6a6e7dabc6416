"""Field configuration: what a panel says about names, units, colours, thresholds, mappings and links of its values."""
