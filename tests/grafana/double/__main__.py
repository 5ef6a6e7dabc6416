"""A double as a process of its own: prints its address, and serves until its standard input ends.

python -m tests.grafana.double
"""

import sys

from tests.grafana.double import Double

if __name__ == "__main__":
    double = Double()
    sys.stdout.write(double.url + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    double.close()
