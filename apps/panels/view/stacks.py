"""Values that stand on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.panels.view.model import Number


@dataclass(frozen=True)
class Stacked:
    """Where each value of a series starts and ends."""

    base: list[Number]
    ends: list[Number]


def stacked(series: Sequence[Sequence[Number]], *, percent: bool = False) -> list[Stacked]:
    """The series in their order, each on those before it; values below zero hang from zero downwards.

    `percent` gives shares (0 to 1) of the sum of all sizes at each place. A missing value takes no room.
    """
    length = max((len(values) for values in series), default=0)
    whole = [1.0] * length
    if percent:
        columns = [[abs(values[at] or 0) for values in series] for at in range(length)]
        whole = [sum(column) or 1.0 for column in columns]
    above = [0.0] * length
    below = [0.0] * length
    found = []
    for values in series:
        base: list[Number] = []
        ends: list[Number] = []
        for at, value in enumerate(values):
            if value is None:
                base.append(None)
                ends.append(None)
                continue
            pile = below if value < 0 else above
            base.append(pile[at])
            pile[at] += value / whole[at]
            ends.append(pile[at])
        found.append(Stacked(base, ends))
    return found
