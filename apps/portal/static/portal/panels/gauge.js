// Figures between a lowest and a highest value: arcs, and bars that fill.

import { html, measure, px, rem, shorten, svg } from "./dom.js";
import { anchor, safe } from "./links.js";
import { arrange, value } from "./stat.js";

const SWEEP = 240; // degrees of an arc
const CELLS = 24; // lamps of an `lcd` bar, at most

const words = (tile) => `${tile.prefix ?? ""}${tile.text ?? ""}${tile.suffix ?? ""}`;
const shareOf = (tile) => Math.max(0, Math.min(1, tile.percent ?? 0));
const linkOf = (tile) => tile.links?.find((one) => safe(one.url));

/** Draws a `Gauge`. */
export function gauge({ view }) {
  return { paint: (width, height) => paintGauge(view, width, height) };
}

function paintGauge(view, width, height) {
  const { tiles } = view;
  const { columns } = arrange(tiles, width, height, "", (_, wide, high) => Math.min(wide, high * 1.1));
  const rows = Math.ceil(tiles.length / columns);
  const wide = Math.max(60, width / columns - 4);
  const high = Math.max(60, height / rows - 4);
  return html("div", { class: "view-tiles is-bare" }, tiles.map((tile) => arc(view, tile, wide, high)));
}

/** The point at a share of the sweep on a circle. */
function onArc(x, y, radius, share) {
  const angle = ((90 + (360 - SWEEP) / 2 + SWEEP * share) * Math.PI) / 180;
  return `${px(x + radius * Math.cos(angle))} ${px(y + radius * Math.sin(angle))}`;
}

function bow(x, y, radius, from, to) {
  const large = SWEEP * (to - from) > 180 ? 1 : 0;
  return `M${onArc(x, y, radius, from)}A${px(radius)} ${px(radius)} 0 ${large} 1 ${onArc(x, y, radius, to)}`;
}

function arc(view, tile, width, height) {
  const title = tile.title && height > 90 ? 20 : 0;
  // The arc is 1.5 radii high and 2 wide.
  const radius = Math.min((width - 12) / 2, (height - title - 10) / 1.52) - (view.labels && width > 120 ? 12 : 0);
  const [x, y] = [width / 2, (height - title) / 2 + radius * 0.24];
  const thick = radius * 0.2;
  const inner = radius - thick * (view.markers ? 0.85 : 0.5);
  const share = shareOf(tile);
  const node = svg("svg", { viewBox: `0 0 ${px(width)} ${px(height)}`, role: "img", "aria-label": `${tile.title}: ${words(tile)}` });
  const stroke = (color, wide) => ({ stroke: color, "stroke-width": `${px(wide)}px` });
  node.append(svg("path", { class: "view-arc is-track", d: bow(x, y, inner, 0, 1), style: { "stroke-width": `${px(thick)}px` } }));
  if (share > 0) node.append(svg("path", { class: "view-arc", "data-share": share, d: bow(x, y, inner, 0, share), style: stroke(tile.color, thick) }));
  const steps = tile.steps ?? [];
  if (view.markers) {
    const outer = radius - thick * 0.14;
    steps.forEach(([from, color], index) => {
      const to = Math.min(1, steps[index + 1]?.[0] ?? 1);
      if (to > from) node.append(svg("path", { class: "view-arc", d: bow(x, y, outer, Math.max(0, from), to), style: stroke(color, thick * 0.2) }));
    });
  }
  const text = words(tile);
  const size = Math.max(11, Math.min(radius * 0.5, ((inner - thick) * 1.7 * 100) / Math.max(1, measure(text, 100, 600))));
  const figure = svg("text", {
    class: "view-gauge-figure", x: px(x), y: px(y), dy: "0.3em", "text-anchor": "middle", "data-value": tile.text,
    style: { "font-size": `${px(size)}px`, "--ink": tile.color },
  }, text);
  node.append(figure);
  if (radius > (view.labels ? 36 : 60)) {
    for (const [at, label] of [[0, tile.low], [1, tile.high]]) {
      const [left, top] = onArc(x, y, inner, at).split(" ").map(Number);
      if (label) node.append(svg("text", { class: "view-gauge-end", x: px(left), y: px(top + 14), "text-anchor": "middle" }, label));
    }
  }
  if (title) node.append(svg("text", { class: "view-gauge-name", x: px(x), y: px(Math.min(height - 8, y + radius * 0.62 + 26)), "text-anchor": "middle" }, shorten(tile.title, width - 12, 13)));
  const link = linkOf(tile);
  const extent = { width: rem(width), height: rem(height) };
  return html("div", { class: "view-dial", "data-marks": "tile", "data-name": tile.title, style: extent }, link ? anchor(link, node) : node);
}

/** Draws a `BarGauge`. */
export function bargauge({ view }) {
  return { paint: (width, height) => (view.vertical ? standing(view, width, height) : lying(view, width, height)) };
}

function lying(view, width, height) {
  const { tiles } = view;
  const high = Math.max(24, height / Math.max(1, tiles.length));
  // Names stand above their bars where there is room, before them where there is not.
  const above = high > 52;
  const size = Math.max(12, Math.min(30, (above ? high - 22 : high) * 0.45));
  const figures = Math.min(width * 0.45, Math.max(...tiles.map((tile) => measure(words(tile), size, 600))) + 10);
  const names = above ? 0 : Math.min(width * 0.35, Math.max(...tiles.map((tile) => measure(tile.title, 13))) + 10);
  const length = Math.max(10, width - figures - names - 12);
  return html(
    "div", { class: `view-bars-list${above ? " is-above" : ""}`, style: { "--names": rem(names), "--figures": rem(figures) } },
    tiles.map((tile) => row(view, tile, size, html("span", { class: "view-bar-track is-lying" }, fill(view, tile, length, "width")))),
  );
}

function standing(view, width, height) {
  const { tiles } = view;
  const wide = width / Math.max(1, tiles.length) - 4;
  const widest = Math.max(...tiles.map((tile) => measure(words(tile), 100, 600)));
  const size = Math.max(11, Math.min(26, ((wide - 6) / widest) * 100));
  const length = Math.max(10, height - size - 30);
  return html(
    "div", { class: "view-bars-list is-standing" },
    tiles.map((tile) => row(view, tile, size, html("span", { class: "view-bar-track is-standing" }, fill(view, tile, length, "height")))),
  );
}

function row(view, tile, size, track) {
  if (!view.unfilled) track.classList.add("is-open");
  const figure = html("span", { class: "view-figure", "data-value": tile.text ?? "", style: { "--ink": tile.color, "font-size": rem(size) } }, value(tile));
  const link = linkOf(tile);
  return html(
    "div", { class: "view-bars-row", "data-marks": "tile", "data-name": tile.title },
    html("span", { class: "view-tile-name", title: tile.title }, tile.title), track, link ? anchor(link, figure) : figure,
  );
}

/** The filled part of a bar of `length` pixels. */
function fill(view, tile, length, side) {
  const share = shareOf(tile);
  if (view.mode === "lcd") {
    const count = Math.max(4, Math.min(CELLS, Math.floor(length / 10)));
    return Array.from({ length: count }, (_, index) => {
      const at = (index + 0.5) / count;
      const lit = at <= share;
      return html("i", { class: `view-lamp${lit ? " is-lit" : ""}`, style: { background: stepColor(tile, at) } });
    });
  }
  const style = { [side]: rem(share * length), background: tile.color };
  if (view.mode === "gradient" && tile.steps?.length > 1) {
    const direction = side === "width" ? "to right" : "to top";
    const stops = tile.steps.map(([from, color]) => `${color} ${rem(Math.max(0, from) * length)}`);
    style.background = `linear-gradient(${direction}, ${stops.join(", ")})`;
  }
  return [html("i", { class: `view-fill is-${view.mode ?? "gradient"}`, "data-share": share, style })];
}

function stepColor(tile, at) {
  return tile.steps?.findLast(([from]) => from <= at)?.[1] ?? tile.color;
}
