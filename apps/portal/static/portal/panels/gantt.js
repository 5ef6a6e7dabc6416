// Spans in lanes over time: Gantt charts, states over time and histories of states.

import { measure, px, shorten, svg } from "./dom.js";
import { legend } from "./legend.js";
import { follow } from "./links.js";
import { inWindow, pointing, spotOf } from "./pointer.js";
import { TEXT, times } from "./scale.js";
import { tell } from "./tooltip.js";

const LEAST = 2; // the narrowest span, in pixels
const HIGHEST = 64; // the highest line of a Gantt chart; states fill the panel

/** Draws a `Gantt`. */
export function gantt(stage) {
  return { legend: legend(stage.view, stage.memory, stage.repaint), paint: (width, height) => paint(stage, width, height) };
}

function paint(stage, width, height) {
  const { view, zone, context, memory } = stage;
  const { lanes } = view;
  // A span says its state by its colour alone.
  const out = new Set((view.legend?.entries ?? []).filter(({ name }) => memory.hidden?.has(name)).map(({ color }) => color));
  const spans = view.spans.filter(({ color }) => !out.has(color));
  const depths = lanes.map((_, index) => view.depths?.[index] ?? 1);
  const longest = Math.max(0, ...lanes.map((lane) => measure(lane, TEXT)));
  const foot = height < 70 ? 4 : 22;
  const left = longest ? Math.min(longest + 12, width * 0.35) : 6;
  const box = { left, top: 4, width: Math.max(10, width - left - 10), height: Math.max(10, height - foot - 4) };
  const label = `${context.label ? `${context.label}: ` : ""}${spans.length} spans in ${lanes.length} lanes`;
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, tabindex: "0", role: "img", "aria-label": label });
  if (foot > 10) node.append(times(zone, view.start, view.end, box));
  const rows = laneRows(depths, box, view.states ? Infinity : HIGHEST);
  node.append(names(lanes, rows, box));
  const marks = svg("svg", { class: "view-marks", x: box.left, y: box.top, width: box.width, height: box.height, "data-start": view.start, "data-end": view.end });
  const shown = spans.flatMap((span) => {
    const spot = placed(view, span, rows, depths, box);
    return spot ? [{ span, spot }] : [];
  });
  marks.append(...shown.map((one) => bar(one)), ...shown.flatMap((one) => words(view, one) ?? []));
  node.append(marks);
  hands(stage, node, box, shown);
  return node;
}

/** Top and height of each lane, in the box: lanes are as high as their lines are many. */
function laneRows(depths, box, highest) {
  const all = depths.reduce((sum, depth) => sum + depth, 0) || 1;
  const line = Math.min(box.height / all, highest);
  let top = 0;
  return depths.map((depth) => {
    const row = { top, height: line * depth };
    top += row.height;
    return row;
  });
}

function names(lanes, rows, box) {
  const group = svg("g", { class: "view-axes", "aria-hidden": "true" });
  let free = -Infinity;
  lanes.forEach((lane, index) => {
    const { top, height } = rows[index];
    if (index) group.append(svg("path", { class: "view-grid", d: `M${px(box.left)} ${px(box.top + top)}h${px(box.width)}` }));
    const y = box.top + top + height / 2;
    if (y - free < 12) return;
    free = y;
    group.append(svg("text", { x: px(box.left - 7), y: px(y), dy: "0.35em", "text-anchor": "end" }, shorten(lane, box.left - 10, TEXT), svg("title", {}, lane)));
  });
  return group;
}

function placed(view, span, rows, depths, box) {
  const row = rows[span.lane];
  if (!row || span.end < view.start || span.start > view.end) return null;
  const across = box.width / (view.end - view.start);
  const line = row.height / depths[span.lane];
  const high = Math.max(2, line * (view.row_height ?? 0.9));
  const x = (span.start - view.start) * across;
  const width = Math.max(LEAST, (span.end - span.start) * across - (view.gap ?? 0));
  return { x, width, y: row.top + line * (span.line ?? 0) + (line - high) / 2, height: high };
}

function bar({ span, spot }) {
  return svg("rect", {
    class: `view-span${span.links?.length ? " has-links" : ""}${span.open ? " is-open" : ""}`,
    x: px(spot.x), y: px(spot.y), width: px(spot.width), height: px(spot.height), rx: Math.min(2, spot.width / 4),
    "data-lane": span.lane, "data-start": span.start, "data-end": span.end, "data-text": span.text ?? "", style: { fill: span.color },
  });
}

function words(view, { span, spot }) {
  if (!span.text || view.show_values === "never" || spot.height < 11) return null;
  const from = Math.max(0, spot.x);
  const room = spot.x + spot.width - from - 8;
  const text = shorten(span.text, room, TEXT);
  if (!text || (view.show_values !== "always" && text !== span.text && room < 32)) return null;
  return svg("text", { class: "view-span-text", x: px(from + 5), y: px(spot.y + spot.height / 2), dy: "0.35em", style: { fill: span.ink } }, text);
}

function hands(stage, node, box, shown) {
  const { view, zone } = stage;
  const find = (x, y) => {
    const [left, top] = [x - box.left, y - box.top];
    return shown.findLast(({ spot }) => left >= spot.x - 1 && left <= spot.x + spot.width + 1 && top >= spot.y && top <= spot.y + spot.height);
  };
  function at(time, x, y) {
    const found = y === null ? null : find(x, y)?.span;
    const place = inWindow(node, x, y ?? box.top);
    if (!found) tell(node, ...place, zone.full(time), []);
    else tell(node, ...place, view.lanes[found.lane], [
      { color: found.color, name: found.text || "", text: "" },
      ...(found.lines ?? []).map((name) => ({ name })),
      { name: `${zone.full(found.start)} – ${found.open ? "still running" : zone.full(found.end)}` },
    ]);
    return time;
  }
  const edges = [...new Set(shown.flatMap(({ span }) => [span.start, span.end]))].sort((a, b) => a - b);
  const step = (time, direction) => (direction > 0 ? edges.find((edge) => edge > time) : edges.findLast((edge) => edge < time)) ?? null;
  const press = (event) => follow(find(...spotOf(node, event))?.span.links, event);
  pointing(stage, node, box, { start: view.start, end: view.end, at, step, press });
}
