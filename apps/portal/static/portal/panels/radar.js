// Closed lines around a centre, a value on each spoke.

import { measure, px, shorten, svg } from "./dom.js";
import { legend } from "./legend.js";
import { spotOf } from "./pointer.js";
import { hush, tell } from "./tooltip.js";

const TEXT = 11;

/** Draws a `Radar`. */
export function radar(stage) {
  return { legend: legend(stage.view, stage.memory, stage.repaint), paint: (width, height) => paint(stage, width, height) };
}

function paint(stage, width, height) {
  const { view, memory, context } = stage;
  const { labels } = view;
  const rings = view.rings.filter((ring) => !memory.hidden?.has(ring.name));
  const told = rings.slice(0, 6).map((ring) => `${ring.name}: ${labels.map((label, index) => `${label} ${ring.texts[index] || "no value"}`).join(", ")}`).join("; ");
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${context.label ? `${context.label}: ` : ""}${told}` });
  const longest = Math.min(width * 0.2, Math.max(0, ...labels.map((label) => measure(label, TEXT))));
  const named = height > 110;
  const head = named && view.title ? 22 : 0;
  const radius = Math.max(8, Math.min(width / 2 - (named ? longest + 12 : 6), (height - head) / 2 - (named ? 20 : 6)));
  const center = { x: width / 2, y: (height + head) / 2 };
  const spot = (share, spoke) => {
    const angle = ((spoke / labels.length) * 2 - 0.5) * Math.PI;
    return { x: center.x + radius * share * Math.cos(angle), y: center.y + radius * share * Math.sin(angle) };
  };
  const closed = (share) => closedLine(labels.map((_, spoke) => spot(share, spoke)));

  const grid = svg("g", { class: "view-axes", "aria-hidden": "true" });
  const ticks = view.ticks?.length ? view.ticks : ["", "", "", ""];
  ticks.forEach((_, index) => grid.append(svg("path", { class: "view-grid", d: closed((index + 1) / ticks.length) })));
  const written = [];
  labels.forEach((label, spoke) => {
    const end = spot(1, spoke);
    grid.append(svg("path", { class: "view-grid", d: `M${px(center.x)} ${px(center.y)}L${px(end.x)} ${px(end.y)}` }));
    if (!named) return;
    const out = spot(1 + 10 / radius, spoke);
    const side = Math.abs(out.x - center.x) < 4 ? "middle" : out.x > center.x ? "start" : "end";
    const text = shorten(label, side === "middle" ? width * 0.6 : longest + 2, TEXT);
    const long = measure(text, TEXT);
    const left = side === "start" ? out.x : side === "end" ? out.x - long : out.x - long / 2;
    // Of labels that would cover each other the first stays; the pointer tells the others.
    if (written.some((one) => Math.abs(one.y - out.y) < TEXT + 1 && left < one.right + 6 && left + long > one.left - 6)) return;
    written.push({ y: out.y, left, right: left + long });
    grid.append(svg("text", { x: px(out.x), y: px(out.y), dy: "0.35em", "text-anchor": side }, text, svg("title", {}, label)));
  });
  node.append(grid);
  if (head) node.append(svg("text", { class: "view-chart-title", x: px(width / 2), y: 15, "text-anchor": "middle" }, shorten(view.title, width - 12, 13, 600)));

  const spots = [];
  for (const ring of rings) {
    const corners = labels.map((_, spoke) => spot(Math.max(0, Math.min(1, ring.shares[spoke] ?? 0)), spoke));
    node.append(svg("path", { class: "view-ring", d: closedLine(corners), "data-name": ring.name, style: { stroke: ring.color, fill: ring.color } }));
    corners.forEach(({ x, y }, spoke) => {
      const value = ring.values[spoke];
      if (value === null || value === undefined) return;
      spots.push({ x, y, ring, spoke });
      node.append(svg("circle", {
        class: "view-ring-dot", cx: px(x), cy: px(y), r: 3, style: { fill: ring.color },
        "data-name": ring.name, "data-label": labels[spoke], "data-value": value, "data-text": ring.texts[spoke],
      }));
    });
  }
  if (named && radius > 40) {
    ticks.forEach((text, index) => text && node.append(svg("text", { class: "view-bar-text is-tick", x: px(center.x + 4), y: px(spot((index + 1) / ticks.length, 0).y), dy: "1.1em" }, text)));
  }
  hands(stage, node, spots, labels, rings);
  return node;
}

const closedLine = (corners) => (corners.length ? `M${corners.map(({ x, y }) => `${px(x)} ${px(y)}`).join("L")}Z` : "");

function hands(stage, node, spots, labels, rings) {
  const point = (event) => {
    const [left, top] = spotOf(node, event);
    const far = ({ x, y }) => Math.hypot(x - left, y - top);
    const near = spots.reduce((best, one) => (best && far(best) <= far(one) ? best : one), null);
    if (!near || far(near) > 40) return hush(node);
    const rows = rings.map((ring) => ({ color: ring.color, name: ring.name, text: ring.texts[near.spoke] || "no value", strong: ring === near.ring && rings.length > 1 }));
    return tell(node, event.clientX, event.clientY, labels[near.spoke], rows);
  };
  node.addEventListener("pointermove", point);
  node.addEventListener("pointerdown", point);
  node.addEventListener("pointerleave", (event) => event.pointerType === "touch" || hush(node));
  stage.clean(() => hush(node));
}
