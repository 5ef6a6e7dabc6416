"""Where panels stand, and what a repeat makes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apps.panels.document import COLUMNS, Dashboard, Grid, Panel, read_dashboard
from apps.panels.layout import MAX_COPIES, laid_out


def panel(number: int, x: int, y: int, w: int = 12, h: int = 8, **fields: Any) -> dict[str, Any]:
    return {"id": number, "type": "stat", "gridPos": {"x": x, "y": y, "w": w, "h": h}, **fields}


def row(number: int, y: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": "row",
        "title": f"Row {number}",
        "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
        **fields,
    }


def dashboard(*panels: dict[str, Any]) -> Dashboard:
    return read_dashboard({"title": "t", "schemaVersion": 42, "panels": list(panels)})


def places(panels: tuple[Panel, ...]) -> list[tuple[int, int, int, int, int]]:
    return [(each.id, each.grid.x, each.grid.y, each.grid.w, each.grid.h) for each in panels]


def test_panels_stay_where_they_were_put() -> None:
    layout = laid_out(dashboard(panel(1, 0, 0), panel(2, 12, 0), panel(3, 0, 8, 24)), {})
    assert places(layout.panels) == [(1, 0, 0, 12, 8), (2, 12, 0, 12, 8), (3, 0, 8, 24, 8)]
    assert layout.height == 16


def test_gaps_close_and_overlaps_part() -> None:
    layout = laid_out(dashboard(panel(1, 0, 5), panel(2, 6, 7), panel(3, 18, 30, 6)), {})
    assert places(layout.panels) == [(1, 0, 0, 12, 8), (2, 6, 8, 12, 8), (3, 18, 0, 6, 8)]


def test_a_closed_row_hides_its_panels_until_it_is_opened() -> None:
    document = dashboard(row(1, 0, collapsed=True, panels=[panel(2, 0, 1)]), row(3, 1), panel(4, 0, 2))
    assert places(laid_out(document, {}).panels) == [(1, 0, 0, 24, 1), (3, 0, 1, 24, 1), (4, 0, 2, 12, 8)]
    opened = laid_out(document, {}, toggled={1, 3}).panels
    assert places(opened) == [(1, 0, 0, 24, 1), (2, 0, 1, 12, 8), (3, 0, 9, 24, 1)]
    assert [each.collapsed for each in opened if each.is_row] == [False, True]


def test_copies_share_the_width_and_push_down_what_is_below() -> None:
    document = dashboard(panel(1, 0, 0, repeat="host", maxPerRow=2), panel(2, 0, 8))
    layout = laid_out(document, {"host": ["a", "b", "c"]})
    assert places(layout.panels) == [(1, 0, 0, 12, 8), (3, 12, 0, 12, 8), (4, 0, 8, 12, 8), (2, 0, 16, 12, 8)]
    assert [(each.clone_of, dict(each.scoped)) for each in layout.panels] == [
        (None, {"host": "a"}),
        (1, {"host": "b"}),
        (1, {"host": "c"}),
        (None, {}),
    ]


def test_copies_stack_when_they_repeat_downwards() -> None:
    document = dashboard(panel(1, 6, 0, w=6, h=4, repeat="host", repeatDirection="v"), panel(2, 6, 4))
    layout = laid_out(document, {"host": ["a", "b"]})
    assert places(layout.panels) == [(1, 6, 0, 6, 4), (3, 6, 4, 6, 4), (2, 6, 8, 12, 8)]


def test_a_row_repeats_with_all_that_is_in_it() -> None:
    document = dashboard(
        row(1, 0, repeat="host"), panel(2, 0, 1), panel(3, 12, 1, repeat="device", maxPerRow=2), row(4, 9)
    )
    layout = laid_out(document, {"host": ["a", "b"], "device": ["x", "y"]})
    shown = [(each.clone_of or each.id, dict(each.scoped)) for each in layout.panels]
    assert shown == [
        (1, {"host": "a"}),
        (2, {"host": "a"}),
        (3, {"host": "a", "device": "x"}),
        (3, {"host": "a", "device": "y"}),
        (1, {"host": "b"}),
        (2, {"host": "b"}),
        (3, {"host": "b", "device": "x"}),
        (3, {"host": "b", "device": "y"}),
        (4, {}),
    ]
    assert len({each.id for each in layout.panels}) == len(layout.panels)


def test_a_variable_without_values_repeats_nothing() -> None:
    (only,) = laid_out(dashboard(panel(1, 0, 0, repeat="host")), {"host": []}).panels
    assert (only.id, dict(only.scoped)) == (1, {})


def test_too_many_copies_are_cut_and_that_is_said() -> None:
    layout = laid_out(dashboard(panel(1, 0, 0, title="Load", repeat="n")), {"n": [str(n) for n in range(500)]})
    assert len(layout.panels) == MAX_COPIES
    assert layout.notices == ("Load: the first 100 of 500 values of n are shown",)


@given(
    st.lists(
        st.builds(
            panel,
            st.integers(1, 50),
            st.integers(-3, 30),
            st.integers(-3, 60),
            st.integers(-1, 40),
            st.integers(-1, 12),
            repeat=st.sampled_from(["", "host", "gone"]),
            repeatDirection=st.sampled_from(["h", "v"]),
            maxPerRow=st.sampled_from([None, 1, 3, 5, 99]),
        ),
        max_size=12,
    ),
    st.integers(0, 7),
)
def test_nothing_overlaps_or_leaves_the_grid(panels: list[dict[str, Any]], count: int) -> None:
    layout = laid_out(dashboard(*panels), {"host": [str(n) for n in range(count)]})
    taken: set[tuple[int, int]] = set()
    for each in layout.panels:
        cells = _cells(each.grid)
        assert not cells & taken
        assert all(0 <= x < COLUMNS and y >= 0 for x, y in cells)
        taken |= cells
    assert len({each.id for each in layout.panels}) == len(layout.panels)


def _cells(grid: Grid) -> set[tuple[int, int]]:
    return {(x, y) for x in range(grid.x, grid.x + grid.w) for y in range(grid.y, grid.y + grid.h)}
