"""A Grafana for tests: a real HTTP server on loopback that answers as Grafana 9.3, 12.4 or 13 does.

`tests/grafana/contract` holds it against a real one; where they differ, the double is wrong.
"""

from tests.grafana.double.faults import Fault
from tests.grafana.double.flavour import V9, V12, V13, Flavour
from tests.grafana.double.server import Double

__all__ = ["V9", "V12", "V13", "Double", "Fault", "Flavour"]
