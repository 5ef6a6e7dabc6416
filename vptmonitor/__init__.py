"""The composition root: settings, addresses, processes and databases. It decides nothing about the domain."""
