// Lines, areas, bars and points over time.

import { px, svg } from "./dom.js";
import { legend } from "./legend.js";
import { area, strokes, thin, through } from "./path.js";
import { inWindow, pointing } from "./pointer.js";
import { margins, share, times, uprights } from "./scale.js";
import { settle } from "./stack.js";
import { tell } from "./tooltip.js";

const NEAR = 12; // pixels from the pointer to a value that is told
const BAR = 0.7; // of the room between two bars

/** Draws a `TimeSeries`. */
export function timeseries(stage) {
  const { view, memory } = stage;
  return { legend: legend(view, memory, stage.repaint), paint: (width, height) => paint(stage, width, height) };
}

function paint(stage, width, height) {
  const { view, zone, memory } = stage;
  const axes = view.axes;
  const foot = height < 90 ? 6 : 22;
  const room = margins(axes, height - foot - 8);
  const box = { left: room.left || 6, top: 8, height: Math.max(10, height - foot - 8) };
  box.width = Math.max(10, width - box.left - (room.right || 10));
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, tabindex: "0", role: "img", "aria-label": summary(stage) });
  node.append(uprights(axes, box));
  if (foot > 10) node.append(times(zone, view.start, view.end, box));
  const marks = svg("svg", {
    class: "view-marks", x: box.left, y: box.top, width: box.width, height: box.height,
    "data-start": view.start, "data-end": view.end,
  });
  node.append(marks);
  marks.append(...levels(view.levels, axes, box));
  const isHidden = (line) => memory.hidden?.has(line.name) ?? false;
  const lines = settle(view.lines, isHidden, ({ clock, axis }) => `${clock} ${axis}`);
  const series = lines.flatMap((line, index) => (isHidden(line) ? [] : [placed(view, line, axes, box, index)]));
  for (const one of series) marks.append(drawn(one, box));
  hands(stage, node, box, series);
  return node;
}

function summary({ view, context }) {
  const latest = view.lines.slice(0, 8).map((line) => {
    const last = line.values.findLastIndex((value) => value !== null);
    return `${line.name} ${last < 0 ? "no value" : (line.texts?.[last] ?? line.values[last])}`;
  });
  return `${context.label ? `${context.label}: ` : ""}${view.lines.length} series over time. Latest: ${latest.join(", ")}`;
}

/** A line with the places of its values: `{line, clock, points}`, points by index, with gaps. */
function placed(view, line, axes, box, index) {
  const clock = view.clocks?.[line.clock] ?? [];
  const axis = axes[line.axis] ?? { low: 0, high: 1 };
  const up = share(axis);
  const across = box.width / (view.end - view.start);
  const y = (value) => box.height * (1 - Math.max(-9, Math.min(10, up(value))));
  const points = line.values.map((value, at) =>
    value === null || value === undefined
      ? null
      : { x: (clock[at] - view.start) * across, y: y(value), base: line.base?.length ? y(line.base[at] ?? 0) : undefined, at });
  const floor = y(axis.log ? axis.low : Math.max(axis.low, Math.min(axis.high, 0)));
  return { line, clock, points, axis, floor, index };
}

function drawn({ line, clock, points, axis, floor, index }, box) {
  const group = svg("g", {
    class: "view-series", "data-series": index, "data-name": line.name,
    "data-low": axis.low, "data-high": axis.high, "data-log": axis.log || null,
  });
  if (line.draw === "bars") {
    group.append(bars(line, points, floor, box));
    return group;
  }
  const runs = strokes(clock, line.values, line.gap ?? 0).map((run) => thin(run.map((at) => points[at]), box.width));
  if (line.draw !== "points") {
    const joined = runs.filter((run) => run.length > 1);
    if (line.fill) {
      const d = joined.map((run) => area(run, line.curve, floor)).join("");
      group.append(svg("path", { class: "view-area", d, style: { fill: line.color, "fill-opacity": line.fill } }));
    }
    if (line.width) {
      const d = joined.map((run) => through(run, line.curve)).join("");
      const dash = line.dash?.length ? line.dash.join(" ") : "";
      group.append(svg("path", { class: "view-line", d, style: { stroke: line.color, "stroke-width": line.width, "stroke-dasharray": dash } }));
    }
  }
  const shown = dots(line, runs, box);
  if (shown.length) {
    const radius = Math.max(1, (line.point_size ?? 5) / 2);
    const d = shown.map(({ x, y }) => `M${px(x - radius)} ${px(y)}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`).join("");
    group.append(svg("path", { class: "view-dots", d, style: { fill: line.color } }));
  }
  return group;
}

/** The points that are seen: all, none, or those that stand alone and those with room. */
function dots(line, runs, box) {
  if (line.draw === "points" || line.points === "always") return runs.flat();
  if (line.points === "never") return [];
  const all = runs.flat();
  if (all.length * (line.point_size ?? 5) * 2 <= box.width) return all;
  return runs.filter((run) => run.length === 1).flat();
}

function bars(line, points, floor, box) {
  const there = points.filter(Boolean);
  let least = box.width / 4;
  for (let at = 1; at < there.length; at += 1) if (there[at].x > there[at - 1].x) least = Math.min(least, there[at].x - there[at - 1].x);
  const width = Math.max(1, Math.min(least * BAR, 120));
  // Nothing has no border either: on top of a stack it would look like a little.
  const tall = there.filter(({ y, base }) => Math.abs(y - (base ?? floor)) > 0.05);
  const d = tall.map(({ x, y, base }) => `M${px(x - width / 2)} ${px(base ?? floor)}V${px(y)}h${px(width)}V${px(base ?? floor)}Z`).join("");
  const border = width > 6 ? line.width : 0;
  return svg("path", { class: "view-bars", d, style: { fill: line.color, "fill-opacity": line.fill ?? 0, stroke: line.color, "stroke-width": String(border) } });
}

function levels(found, axes, box) {
  return found.map((level) => {
    const up = share(axes[level.axis] ?? { low: 0, high: 1 });
    const y = (value) => box.height * (1 - Math.max(0, Math.min(1, up(value))));
    if (level.until !== undefined) {
      const [top, bottom] = [y(level.until), y(level.value)].sort((a, b) => a - b);
      return svg("rect", { class: "view-level-area", y: px(top), width: px(box.width), height: px(bottom - top), style: { fill: level.color } });
    }
    if (up(level.value) < 0 || up(level.value) > 1) return svg("g");
    return svg("path", { class: `view-level${level.dashed ? " is-dashed" : ""}`, d: `M0 ${px(y(level.value))}h${px(box.width)}`, style: { stroke: level.color } });
  });
}

/** A series' own value at a point, without what it stands on. */
const size = ({ one: { line }, point }) => line.values[point.at] - (line.base?.[point.at] ?? 0);

function hands(stage, node, box, series) {
  const { view, zone } = stage;
  const spots = svg("g", { class: "view-spots" });
  node.append(spots);
  const told = series.filter(({ line }) => line.in_tooltip);

  /** For each series its value nearest to x, when it is near: `{one, point}`. */
  function near(x) {
    const time = view.start + ((view.end - view.start) * (x - box.left)) / box.width;
    return told.flatMap((one) => {
      const at = closest(one.clock, one.points, time);
      return at < 0 ? [] : [{ one, point: one.points[at], far: Math.abs(one.points[at].x + box.left - x) }];
    });
  }

  function at(_time, x, y) {
    const all = near(x);
    const best = all.reduce((least, one) => (one.far < least ? one.far : least), Infinity);
    // Series of other clocks speak too when their value is as good as under the pointer.
    let chosen = all.filter(({ far }) => far <= Math.max(best, Math.min(NEAR, best + 1)));
    if (!chosen.length) return null;
    const [pointed] = y === null ? chosen : [...chosen].sort((a, b) => Math.abs(a.point.y + box.top - y) - Math.abs(b.point.y + box.top - y));
    if (view.tooltip === "single") chosen = [pointed];
    else if (view.order) chosen.sort((a, b) => (view.order === "desc" ? size(b) - size(a) : size(a) - size(b)));
    spots.replaceChildren(...chosen.map(({ one, point }) =>
      svg("circle", { cx: px(point.x + box.left), cy: px(point.y + box.top), r: 4, style: { fill: one.line.color } })));
    if (view.tooltip !== "none") {
      const rows = chosen.map(({ one, point }) => ({
        color: one.line.color, name: one.line.name, text: one.line.texts?.[point.at] ?? String(one.line.values[point.at]),
        strong: chosen.length > 1 && one === pointed.one,
      }));
      const head = zone.full(pointed.one.clock[pointed.point.at]);
      tell(node, ...inWindow(node, x, y ?? pointed.point.y + box.top), head, rows);
    }
    return pointed.one.clock[pointed.point.at];
  }

  const clocks = [...new Set(told.map(({ clock }) => clock))];
  const step = (time, direction) => {
    const next = clocks.flatMap((clock) => (direction > 0 ? clock.find((t) => t > time) : clock.findLast((t) => t < time)) ?? []);
    if (!next.length) return null;
    return direction > 0 ? Math.min(...next) : Math.max(...next);
  };
  pointing(stage, node, box, { start: view.start, end: view.end, at, step, leave: () => spots.replaceChildren() });
}

/** The index of the point nearest in time, -1 for none. */
function closest(clock, points, time) {
  let low = 0;
  let high = clock.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (clock[middle] < time) low = middle + 1;
    else high = middle;
  }
  let before = low - 1;
  let after = low;
  while (before >= 0 && !points[before]) before -= 1;
  while (after < points.length && !points[after]) after += 1;
  if (before < 0) return after < points.length ? after : -1;
  if (after >= points.length) return before;
  return time - clock[before] < clock[after] - time ? before : after;
}
