// What the server leaves out of a view because it is empty.

const LISTS = {
  timeseries: ["clocks", "lines", "axes", "levels"],
  barchart: ["labels", "series", "axes", "levels"],
  stat: ["tiles"],
  gauge: ["tiles"],
  bargauge: ["tiles"],
  table: ["columns"],
  piechart: ["slices", "labels"],
  gantt: ["lanes", "depths", "spans"],
  radar: ["labels", "rings", "ticks"],
  heatmap: ["rows", "cells"],
};
const PARTS = {
  lines: { name: "", values: [], texts: [] },
  series: { name: "", values: [], texts: [] },
  axes: { ticks: [] },
  tiles: { title: "", text: "" },
  columns: { name: "", texts: [], ranks: [] },
  slices: { name: "", text: "" },
  rings: { name: "", values: [], texts: [], shares: [] },
};

/** The view with all its lists, and a range that has a length. */
export function complete(view) {
  const whole = { ...view };
  for (const name of LISTS[view.kind] ?? []) {
    const empty = PARTS[name];
    whole[name] = (view[name] ?? []).map((one) => (empty ? { ...empty, ...one } : one));
  }
  if (view.start !== undefined && !(view.end > view.start)) whole.end = view.start + 1;
  return whole;
}
