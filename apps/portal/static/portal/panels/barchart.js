// Bars by category, upright or lying, beside each other or stacked.

import { measure, px, shorten, svg } from "./dom.js";
import { legend } from "./legend.js";
import { follow } from "./links.js";
import { inWindow, spotOf } from "./pointer.js";
import { TEXT, lying, margins, share, uprights } from "./scale.js";
import { settle } from "./stack.js";
import { hush, tell } from "./tooltip.js";

const SMALL = 9; // the smallest text on a bar, in pixels

/** Draws a `BarChart`. */
export function barchart(stage) {
  return { legend: legend(stage.view, stage.memory, stage.repaint), paint: (width, height) => paint(stage, width, height) };
}

function paint(stage, width, height) {
  const { view, memory } = stage;
  const isHidden = (one) => memory.hidden?.has(one.name) ?? false;
  const series = settle(view.series, isHidden).map((one, index) => ({ ...one, index })).filter((one) => !isHidden(one));
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, tabindex: "0", role: "img", "aria-label": summary(stage) });
  const plan = view.horizontal ? lyingPlan(view, width, height) : uprightPlan(view, width, height);
  node.append(plan.axes, plan.labels);
  const marks = svg("g", { class: "view-marks" });
  node.append(...plan.levels, marks);
  const bars = placed(view, series, plan);
  for (const bar of bars) marks.append(mark(view, bar));
  const size = figureSize(view, bars, plan);
  if (size) for (const bar of bars) marks.append(figure(view, bar, plan, size) ?? "");
  hands(stage, node, plan, bars, series);
  return node;
}

function summary({ view, context }) {
  const [first] = view.series;
  const told = view.labels.slice(0, 10).map((label, index) => `${label} ${first?.texts?.[index] || (first?.values[index] ?? "no value")}`);
  return `${context.label ? `${context.label}: ` : ""}${view.series.length} series of ${view.labels.length} bars. ${first?.name ?? ""}: ${told.join(", ")}`;
}

/** Where things go when bars stand: `box`, drawn axes and labels, and `along`/`up` from shares to places. */
function uprightPlan(view, width, height) {
  const lengths = view.labels.map((label) => measure(label, TEXT)).sort((a, b) => a - b);
  const longest = lengths.at(-1) ?? 0;
  const typical = lengths[Math.floor(lengths.length / 2)] ?? 0;
  const guess = margins(view.axes, height - 40);
  const band = (width - guess.left - guess.right - 12) / Math.max(1, view.labels.length);
  // Slanted only where the panel asks for it, or where most labels would be cut.
  const angle = view.rotate || (typical + 6 <= band || height < 160 ? 0 : -45);
  const slope = Math.sin((Math.abs(angle) * Math.PI) / 180);
  const reach = Math.min(longest, height * 0.33 / Math.max(slope, 0.2), 140);
  const foot = height < 70 ? 4 : angle ? reach * slope + 16 : 22;
  const box = { top: 14, left: guess.left || 6, height: Math.max(10, height - foot - 14) };
  box.width = Math.max(10, width - box.left - (guess.right || 6));
  const step = box.width / Math.max(1, view.labels.length);
  const labels = svg("g", { class: "view-axes", "aria-hidden": "true" });
  const every = angle ? Math.ceil(14 / step) : step >= 24 ? 1 : Math.ceil(40 / step);
  const y = px(box.top + box.height + (angle ? 10 : 15));
  if (foot > 10) {
    view.labels.forEach((label, index) => {
      if (index % every) return;
      const x = px(box.left + step * (index + 0.5));
      const room = angle ? reach : step * every - 6;
      const end = angle > 0 ? "start" : angle < 0 ? "end" : "middle";
      labels.append(svg("text", { x, y, "text-anchor": end, transform: angle ? `rotate(${angle} ${x} ${y})` : null }, shorten(label, room, TEXT), svg("title", {}, label)));
    });
  }
  const rect = (along, breadth, from, to) => ({
    x: box.left + along * box.width, width: breadth * box.width,
    y: box.top + box.height * (1 - Math.max(from, to)), height: box.height * Math.abs(to - from),
  });
  const levels = (view.levels).map((level) => across(view, level, (from, to) => rect(0, 1, from, to)));
  return { box, axes: uprights(view.axes, box), labels, rect, levels, horizontal: false, step, every, right: 0 };
}

/** The same when bars lie. */
function lyingPlan(view, width, height) {
  const longest = Math.max(0, ...view.labels.map((label) => measure(label, TEXT)));
  const [axis] = view.axes;
  const foot = height < 70 || axis?.hidden ? 6 : axis?.label ? 38 : 22;
  const left = Math.min(longest + 12, width * 0.38);
  // Values stand behind their bars; in stacks they stand on them.
  const texts = view.stacked || view.show_values === "never" ? [] : view.series.flatMap((one) => one.texts);
  const right = Math.min(width * 0.25, Math.max(14, ...texts.map((text) => measure(text, TEXT, 500) + 8)));
  const box = { left, top: 4, width: Math.max(10, width - left - right), height: Math.max(10, height - foot - 4) };
  const step = box.height / Math.max(1, view.labels.length);
  const every = Math.ceil(12 / step);
  const labels = svg("g", { class: "view-axes", "aria-hidden": "true" });
  view.labels.forEach((label, index) => {
    if (index % every) return;
    const y = px(box.top + step * (index + 0.5));
    labels.append(svg("text", { x: px(left - 7), y, dy: "0.35em", "text-anchor": "end" }, shorten(label, left - 10, TEXT), svg("title", {}, label)));
  });
  const rect = (along, breadth, from, to) => ({
    x: box.left + box.width * Math.min(from, to), width: box.width * Math.abs(to - from),
    y: box.top + along * box.height, height: breadth * box.height,
  });
  const levels = (view.levels).map((level) => across(view, level, (from, to) => rect(0, 1, from, to)));
  return { box, axes: axis && foot > 10 ? lying(axis, box) : svg("g"), labels, rect, levels, horizontal: true, step, every, right };
}

function across(view, level, rect) {
  const place = share(view.axes[level.axis] ?? { low: 0, high: 1 });
  const clamp = (value) => Math.max(0, Math.min(1, place(value)));
  const area = level.until !== undefined;
  const { x, y, width, height } = rect(clamp(level.value), clamp(area ? level.until : level.value));
  if (area) return svg("rect", { class: "view-level-area", x: px(x), y: px(y), width: px(width), height: px(height), style: { fill: level.color } });
  // One of width and height is nothing: the path is the line between its ends.
  const d = `M${px(x)} ${px(y)}h${px(width)}v${px(height)}`;
  return svg("path", { class: `view-level${level.dashed ? " is-dashed" : ""}`, d, style: { stroke: level.color } });
}

/** Every bar with its rectangle. */
function placed(view, series, { rect }) {
  const count = Math.max(1, view.labels.length);
  const slot = (view.group_width ?? 0.7) / count / (view.stacked ? 1 : Math.max(1, series.length));
  const breadth = slot * (view.bar_width ?? 0.97);
  return series.flatMap((one, order) => {
    const axis = view.axes[one.axis] ?? { low: 0, high: 1 };
    const place = share(axis);
    const clamp = (value) => Math.max(0, Math.min(1, place(value)));
    return one.values.flatMap((value, index) => {
      if (value === null || value === undefined) return [];
      const start = (index + (1 - (view.group_width ?? 0.7)) / 2) / count + (view.stacked ? 0 : slot * order) + (slot - breadth) / 2;
      const from = clamp(one.base?.length ? (one.base[index] ?? 0) : axis.log ? axis.low : 0);
      const color = one.colors?.[index] || one.color;
      return [{ one, index, value, color, box: rect(start, breadth, from, clamp(value)), text: one.texts?.[index] ?? "", falling: clamp(value) < from }];
    });
  });
}

function mark(view, { one, index, value, color, text, box }) {
  const own = one.base?.length ? value - (one.base[index] ?? 0) : value;
  const radius = (view.radius ?? 0) * Math.min(box.width, box.height);
  return svg("rect", {
    class: `view-bar${one.links?.[index]?.length ? " has-links" : ""}`,
    x: px(box.x), y: px(box.y), width: px(own ? Math.max(box.width, 0.5) : box.width), height: px(own ? Math.max(box.height, 0.5) : box.height), rx: radius ? px(radius) : null,
    "data-series": one.index, "data-label": view.labels[index], "data-value": Number(own.toPrecision(12)), "data-text": text,
    style: { fill: color, "fill-opacity": one.fill ?? 0.8 },
  });
}

/** The size of the values on bars: one for all, 0 when they have no room. Lying bars only need height. */
function figureSize(view, bars, { horizontal }) {
  if (view.show_values === "never") return 0;
  const shares = bars.filter(({ text }) => text).map(({ box, text }) => (horizontal ? box.height / (TEXT + 1) : box.width / measure(text, TEXT, 500)));
  const size = Math.min(TEXT, Math.floor(TEXT * Math.min(...shares)));
  return size >= SMALL ? size : view.show_values === "always" ? SMALL : 0;
}

/** The value written on or beside a bar, where it has room. */
function figure(view, { box, index, text, falling }, { box: plot, horizontal, every, right }, size) {
  if (!text || (horizontal && index % every)) return null;
  const width = measure(text, size, 500);
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  let place;
  let end = "middle";
  if (view.stacked) {
    if (horizontal ? box.width < width + 4 : box.height < size + 2) return null;
    place = middle;
  } else if (horizontal) {
    const outside = box.x + box.width + 4 + width <= plot.left + plot.width + right;
    end = outside && !falling ? "start" : "end";
    place = { x: falling ? box.x - 4 : outside ? box.x + box.width + 4 : box.x + box.width - 4, y: middle.y };
  } else {
    place = { x: middle.x, y: falling ? box.y + box.height + size * 0.7 : Math.max(size * 0.6, box.y - size * 0.6) };
  }
  return svg("text", { class: "view-bar-text", x: px(place.x), y: px(place.y), dy: "0.35em", "text-anchor": end, style: { "font-size": `${size}px` } }, text);
}

function hands(stage, node, plan, bars, series) {
  const { view } = stage;
  const { box, horizontal, step, right } = plan;
  const band = svg("rect", { class: "view-band", visibility: "hidden" });
  node.insertBefore(band, node.querySelector(".view-marks"));
  let current = -1;

  function point(index, x, y, pointed) {
    current = index;
    const place = horizontal
      ? { x: box.left, y: box.top + step * index, width: box.width, height: step }
      : { x: box.left + step * index, y: box.top, width: step, height: box.height };
    for (const [name, value] of Object.entries(place)) band.setAttribute(name, px(value));
    band.setAttribute("visibility", "visible");
    const here = bars.filter((bar) => bar.index === index);
    const rows = here.map((bar) => ({ color: bar.color, name: bar.one.name, text: bar.text || String(bar.value), strong: series.length > 1 && bar === pointed }));
    tell(node, x, y, view.labels[index], rows);
  }

  function leave() {
    current = -1;
    band.setAttribute("visibility", "hidden");
    hush(node);
  }

  const at = (event) => {
    const [x, y] = spotOf(node, event);
    const index = Math.floor((horizontal ? y - box.top : x - box.left) / step);
    const inside = x >= 0 && x <= box.left + box.width + right && y >= 0 && y <= box.top + box.height;
    const on = bars.find(({ box: one }) => x >= one.x && x <= one.x + one.width && y >= one.y && y <= one.y + one.height);
    return { index: inside && index >= 0 && index < view.labels.length ? index : -1, on };
  };
  for (const name of ["pointermove", "pointerdown"]) {
    node.addEventListener(name, (event) => {
      const { index, on } = at(event);
      if (index < 0) leave();
      else point(index, event.clientX, event.clientY, on);
    });
  }
  node.addEventListener("pointerleave", (event) => event.pointerType === "touch" || leave());
  node.addEventListener("blur", leave);
  node.addEventListener("click", (event) => {
    const { on } = at(event);
    if (on) follow(on.one.links?.[on.index], event);
  });
  node.addEventListener("keydown", (event) => {
    const direction = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!direction || !view.labels.length) return;
    const next = Math.max(0, Math.min(view.labels.length - 1, current < 0 ? 0 : current + direction));
    const middle = step * (next + 0.5);
    const place = horizontal ? [box.left + box.width / 2, box.top + middle] : [box.left + middle, box.top + 20];
    point(next, ...inWindow(node, ...place));
    event.preventDefault();
    event.stopPropagation();
  });
  stage.clean(() => hush(node));
}
