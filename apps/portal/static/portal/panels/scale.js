// Axes of values: where a value stands, and the lines and texts of the scale.

import { measure, px, svg } from "./dom.js";

export const TEXT = 11;
const LEAST = 17; // pixels between two texts of an axis

/** Maps a value of the axis to a share between 0 (low) and 1 (high); beyond the ends too. */
export function share(axis) {
  if (!axis.log) return (value) => (value - axis.low) / (axis.high - axis.low);
  const low = Math.log(axis.low);
  const span = Math.log(axis.high) - low;
  return (value) => (value > 0 ? (Math.log(value) - low) / span : -1);
}

/** The ticks that have room on `length` pixels when a text needs `least` of them. */
export function roomy(axis, length, least = LEAST) {
  const ticks = axis.ticks;
  const every = Math.max(1, Math.ceil((ticks.length * least) / Math.max(length, 1)));
  // Zero stays when it is there: the eye looks for it.
  const zero = Math.max(0, ticks.findIndex((tick) => tick.value === 0));
  return ticks.filter((_, index) => (index - zero) % every === 0);
}

/** The width in pixels of an upright axis with its texts. */
export function breadth(axis, height) {
  if (axis.hidden) return 0;
  const texts = roomy(axis, height).map((tick) => measure(tick.text, TEXT));
  return Math.ceil(Math.max(8, ...texts)) + 10 + (axis.label ? 16 : 0);
}

/** The room that upright axes take: `{left, right}`. */
export function margins(axes, height) {
  const room = { left: 0, right: 0 };
  for (const axis of axes) room[axis.side === "right" ? "right" : "left"] += breadth(axis, height);
  return room;
}

/** Lines and texts of upright axes around the box `{left, top, width, height}`. */
export function uprights(axes, box) {
  const group = svg("g", { class: "view-axes", "aria-hidden": "true" });
  const used = { left: 0, right: 0 };
  for (const axis of axes) {
    const place = share(axis);
    const right = axis.side === "right";
    const edge = right ? box.left + box.width + used.right : box.left - used.left;
    for (const tick of roomy(axis, box.height)) {
      const y = px(box.top + box.height * (1 - place(tick.value)));
      if (y < box.top - 1 || y > box.top + box.height + 1) continue;
      if (axis.grid) group.append(svg("path", { class: "view-grid", d: `M${px(box.left)} ${y}h${px(box.width)}` }));
      if (axis.hidden) continue;
      group.append(svg("text", { x: px(edge + (right ? 6 : -6)), y, dy: "0.35em", "text-anchor": right ? "start" : "end" }, tick.text));
    }
    const wide = breadth(axis, box.height);
    if (axis.label && !axis.hidden) {
      const x = px(right ? edge + wide - 6 : edge - wide + 10);
      const y = px(box.top + box.height / 2);
      group.append(svg("text", { class: "view-axis-label", x, y, transform: `rotate(-90 ${x} ${y})`, "text-anchor": "middle" }, axis.label));
    }
    used[right ? "right" : "left"] += wide;
  }
  return group;
}

/** Lines and texts of an axis that lies below the box. */
export function lying(axis, box) {
  const group = svg("g", { class: "view-axes", "aria-hidden": "true" });
  const place = share(axis);
  const widest = Math.max(8, ...axis.ticks.map((tick) => measure(tick.text, TEXT)));
  for (const tick of roomy(axis, box.width, widest + 16)) {
    const x = px(box.left + box.width * place(tick.value));
    if (x < box.left - 1 || x > box.left + box.width + 1) continue;
    if (axis.grid) group.append(svg("path", { class: "view-grid", d: `M${x} ${px(box.top)}v${px(box.height)}` }));
    if (!axis.hidden) group.append(svg("text", { x, y: px(box.top + box.height + 15), "text-anchor": "middle" }, tick.text));
  }
  if (axis.label && !axis.hidden) {
    group.append(svg("text", { class: "view-axis-label", x: px(box.left + box.width / 2), y: px(box.top + box.height + 30), "text-anchor": "middle" }, axis.label));
  }
  return group;
}

/** Lines and texts of time below the box. */
export function times(zone, start, end, box) {
  const group = svg("g", { class: "view-axes", "aria-hidden": "true" });
  for (const tick of zone.ticks(start, end, Math.max(1, Math.floor(box.width / 80)))) {
    const x = px(box.left + (box.width * (tick.time - start)) / (end - start));
    group.append(svg("path", { class: "view-grid", d: `M${x} ${px(box.top)}v${px(box.height)}` }));
    const half = measure(tick.text, TEXT) / 2;
    if (x - half < 0 || x + half > box.left + box.width + (box.right ?? 8)) continue;
    group.append(svg("text", { x, y: px(box.top + box.height + 15), "text-anchor": "middle" }, tick.text));
  }
  return group;
}
