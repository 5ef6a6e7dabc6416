// Big figures with their names and histories.

import { html, measure, px, rem, svg } from "./dom.js";
import { anchor, safe } from "./links.js";

const LEAST = 12;
const LARGEST = 88;
const PAD = 10;

/** Draws a `Stat`. */
export function stat({ view }) {
  return { paint: (width, height) => paint(view, width, height) };
}

function paint(view, width, height) {
  const { tiles } = view;
  const named = view.show === "value_and_name" || view.show === "name";
  const { columns, size } = arrange(tiles, width, height, view.vertical, (tile, wide, high) => fit(view, tile, wide, high, named));
  const made = tiles.map((tile) => figure(view, tile, size, named));
  return html("div", { class: `view-tiles is-${view.color}${view.center || tiles.length === 1 ? " is-centered" : ""}`, style: { "--columns": String(columns), "--name": rem(Math.max(12, Math.min(20, Math.round(size * 0.28)))) } }, made);
}

/** The columns of a grid in which figures are largest, and their size: `{columns, size}`. `vertical` is "yes", "no" or "". */
export function arrange(tiles, width, height, vertical, sizeIn) {
  const count = Math.max(1, tiles.length);
  const choices = vertical === "yes" ? [1] : vertical === "no" ? [count] : Array.from({ length: count }, (_, index) => index + 1);
  let best = { columns: 1, size: 0 };
  for (const columns of choices) {
    const rows = Math.ceil(count / columns);
    const wide = (width - (columns - 1) * 4) / columns;
    const high = (height - (rows - 1) * 4) / rows;
    const size = Math.min(...tiles.map((tile) => sizeIn(tile, wide, high)));
    if (size > best.size) best = { columns, size };
  }
  return { columns: best.columns, size: Math.max(LEAST, Math.min(LARGEST, Math.floor(best.size))) };
}

function fit(view, tile, width, height, named) {
  const words = view.show === "name" ? tile.title : `${tile.prefix ?? ""}${tile.text ?? ""}${tile.suffix ?? ""}`;
  const title = named && view.show !== "name" ? 20 : 0;
  const change = tile.change ? 18 : 0;
  const wide = ((width - 2 * PAD) / Math.max(1, measure(words, 100, 600))) * 100;
  return Math.min(wide, (height - title - change - 8) * (tile.spark?.length > 1 ? 0.55 : 0.68));
}

function figure(view, tile, size, named) {
  const style = {};
  if (view.color === "background") Object.assign(style, { background: tile.color, color: tile.ink });
  const number = view.show === "none" ? null : view.show === "name" ? [tile.title] : value(tile);
  const shown = number && html("span", { class: "view-figure", "data-value": tile.text ?? "", style: { "font-size": rem(size), "--ink": view.color === "value" ? tile.color : "" } }, number);
  const title = named && view.show !== "name" && tile.title ? html("span", { class: "view-tile-name", title: tile.title }, tile.title) : null;
  const change = tile.change ? html("span", { class: `view-change ${tile.rising ? "is-rising" : "is-falling"}` }, tile.rising ? "▲ " : "▼ ", tile.change) : null;
  const link = tile.links?.find((one) => safe(one.url));
  const inner = [title, link ? anchor(link, shown) : shown, change];
  return html("div", { class: "view-tile", "data-marks": "tile", "data-name": tile.title, style }, spark(view, tile), ...inner);
}

/** The parts of a figure: what stands around the number is smaller. */
export function value(tile) {
  return [
    tile.prefix && html("small", {}, tile.prefix),
    tile.text,
    tile.suffix && html("small", {}, tile.suffix),
  ];
}

/** The history behind a figure, stretched over the tile's foot. */
function spark(view, { spark: values = [], spark_times: times = [], color }) {
  const there = values.map((one, index) => [times[index] ?? index, one]).filter(([, one]) => one !== null);
  if (there.length < 2) return null;
  const low = Math.min(...there.map(([, one]) => one));
  const high = Math.max(...there.map(([, one]) => one));
  const [first, last] = [there[0][0], there.at(-1)[0]];
  const points = there.map(([time, one]) =>
    `${px(((time - first) / (last - first || 1)) * 1000)} ${px(high > low ? 96 - ((one - low) / (high - low)) * 92 : 60)}`).join("L");
  const ink = view.color === "background" ? "currentcolor" : color || "var(--accent)";
  return svg(
    "svg", { class: "view-spark", viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { class: "view-area", d: `M${px(0)} 100L${points}L1000 100Z`, style: { fill: ink, "fill-opacity": "0.14" } }),
    svg("path", { class: "view-line", d: `M${points}`, style: { stroke: ink, "stroke-width": "1.5" } }),
  );
}
