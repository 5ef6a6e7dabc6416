"""Radars of scripts that are never run."""

from __future__ import annotations

from tests.panels.view.drawn import drawn, frame

SCRIPT = """
if (!avg) { return { title: { text: 'No data available', left: 'center' } }; }
const values = avg.values.map(v => Math.round(v));
return {
  title: { text: 'Speed of the living room', left: 'center' },
  legend: { data: ['Average (ms)'], bottom: 5 },
  radar: { indicator: names.map((name, i) => ({ name: name + ' (' + values[i] + 'ms)', max: scaleMax })) },
  series: [{ name: 'Speed', type: 'radar', data: [{ value: values }] }]
};
"""


def test_a_spoke_for_each_row_scaled_to_a_fifth_more_than_the_largest() -> None:
    rows = frame(action=["home", "live", "search"], avg=[500.4, 1000.0, None])
    view = drawn("volkovlabs-echarts-panel", rows, options={"getOption": SCRIPT})
    (ring,) = view.rings
    assert view.labels == ("home (500 ms)", "live (1 s)", "search")
    assert (ring.name, list(ring.values)) == ("Average (ms)", [500, 1000, None])
    assert [None if share is None else round(share, 3) for share in ring.shares] == [0.417, 0.833, None]
    assert view.ticks == ("300 ms", "600 ms", "900 ms", "1.2 s")
    assert view.title == "Speed of the living room"


def test_another_script_leaves_its_data_as_a_table() -> None:
    view = drawn("volkovlabs-echarts-panel", frame(a=["x"], n=[1]), options={"getOption": "series: [{type: 'pie'}]"})
    assert view.kind == "table"
    assert view.notices == ("This panel is drawn by a script, which the portal does not run. This is its data.",)


def test_two_numbers_are_two_rings_with_their_own_names() -> None:
    view = drawn("volkovlabs-echarts-panel", frame(a=["x"], low=[1], high=[4]), options={"getOption": "type: 'radar'"})
    assert [(ring.name, list(ring.shares)) for ring in view.rings] == [("low", [0.2]), ("high", [0.8])]
    assert view.labels == ("x",)
