// Parts of a whole.

import { measure, px, svg } from "./dom.js";
import { legend } from "./legend.js";
import { follow } from "./links.js";
import { hush, tell } from "./tooltip.js";

const TEXT = 11;

/** Draws a `Pie`. A hidden slice gives its room to the others. */
export function piechart(stage) {
  return { legend: legend(stage.view, stage.memory, stage.repaint), paint: (width, height) => paint(stage, width, height) };
}

function paint(stage, width, height) {
  const { view, memory, context } = stage;
  const slices = view.slices.filter((slice) => !memory.hidden?.has(slice.name));
  const whole = slices.reduce((sum, slice) => sum + slice.share, 0) || 1;
  const told = slices.slice(0, 12).map((slice) => `${slice.name} ${slice.text}`).join(", ");
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${context.label ? `${context.label}: ` : ""}${told}` });
  const radius = Math.max(4, Math.min(width, height) / 2 - 6);
  const hole = view.donut ? radius * 0.6 : 0;
  const center = { x: width / 2, y: height / 2 };
  const texts = svg("g", { "aria-hidden": "true" });
  let turned = 0;
  for (const slice of slices) {
    const share = slice.share / whole;
    if (share <= 0) continue;
    node.append(piece(slice, center, radius, hole, turned, turned + share));
    const words = label(view.labels, slice, share);
    const middle = (radius + hole) / 2 + (hole ? 0 : radius * 0.12);
    const room = Math.min(share * 2 * Math.PI * middle, hole ? radius - hole : radius * 0.75);
    if (words.length && Math.max(...words.map((word) => measure(word, TEXT, 500))) <= room && room > TEXT * words.length) {
      const [x, y] = place(center, middle, turned + share / 2);
      texts.append(...words.map((word, index) =>
        svg("text", { class: "view-bar-text", x: px(x), y: px(y + (index - (words.length - 1) / 2) * 13), dy: "0.35em", "text-anchor": "middle", style: { "font-size": `${TEXT}px` } }, word)));
    }
    turned += share;
  }
  node.append(texts);
  hands(stage, node, slices, whole);
  return node;
}

const percent = (share) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;

function label(kinds, slice, share) {
  return kinds.map((kind) => ({ name: slice.name, value: slice.text, percent: percent(share) })[kind]).filter(Boolean);
}

/** A point on a circle; shares of a turn begin above and go clockwise. */
function place({ x, y }, radius, share) {
  const angle = (share * 2 - 0.5) * Math.PI;
  return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
}

function piece(slice, center, radius, hole, from, to) {
  const large = to - from > 0.5 ? 1 : 0;
  const at = (r, share) => place(center, r, share).map((one) => Math.round(one * 100) / 100).join(" ");
  const turn = (r) => `M${at(r, 0)}A${r} ${r} 0 0 1 ${at(r, 0.5)}A${r} ${r} 0 0 1 ${at(r, 1)}Z`;
  const inside = hole ? `L${at(hole, to)}A${hole} ${hole} 0 ${large} 0 ${at(hole, from)}` : `L${px(center.x)} ${px(center.y)}`;
  // An arc around a whole turn would begin where it ends, and be nothing.
  const d = to - from > 0.9999 ? turn(radius) + (hole ? turn(hole) : "") : `M${at(radius, from)}A${radius} ${radius} 0 ${large} 1 ${at(radius, to)}${inside}Z`;
  return svg("path", {
    class: `view-slice${slice.links?.length ? " has-links" : ""}`, "data-name": slice.name, "data-text": slice.text, "data-share": slice.share,
    d, style: { fill: slice.color },
  });
}

function hands(stage, node, slices, whole) {
  const find = (event) => slices.find((slice) => slice.name === event.target.closest(".view-slice")?.dataset.name);
  const point = (event) => {
    const slice = find(event);
    if (!slice) return hush(node);
    return tell(node, event.clientX, event.clientY, "", [{ color: slice.color, name: slice.name, text: `${slice.text} (${percent(slice.share / whole)})` }]);
  };
  node.addEventListener("pointermove", point);
  node.addEventListener("pointerdown", point);
  node.addEventListener("pointerleave", (event) => event.pointerType === "touch" || hush(node));
  node.addEventListener("click", (event) => follow(find(event)?.links, event));
  stage.clean(() => hush(node));
}
