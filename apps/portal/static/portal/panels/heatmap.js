// Cells over time and buckets.

import { measure, px, shorten, svg } from "./dom.js";
import { inWindow, pointing } from "./pointer.js";
import { TEXT, times } from "./scale.js";
import { hush, tell } from "./tooltip.js";

/** Draws a `Heatmap`. */
export function heatmap(stage) {
  return { paint: (width, height) => paint(stage, width, height) };
}

function paint(stage, width, height) {
  const { view, zone, context } = stage;
  const { rows, cells } = view;
  const foot = height < 70 ? 4 : 22;
  const left = Math.min(Math.max(0, ...rows.map((row) => measure(row, TEXT))) + 12, width * 0.3);
  const box = { left, top: 4, width: Math.max(10, width - left - 10), height: Math.max(10, height - foot - 4) };
  const step = box.height / Math.max(1, rows.length);
  const across = box.width / (view.end - view.start);
  const label = `${context.label ? `${context.label}: ` : ""}heatmap of ${rows.length} rows and ${cells.length} cells`;
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, tabindex: "0", role: "img", "aria-label": label });
  const names = svg("g", { class: "view-axes", "aria-hidden": "true" });
  const every = Math.max(1, Math.ceil(14 / step));
  rows.forEach((row, index) => {
    if (index % every) return;
    names.append(svg("text", { x: px(left - 7), y: px(box.top + box.height - step * (index + 0.5)), dy: "0.35em", "text-anchor": "end" }, shorten(row, left - 10, TEXT), svg("title", {}, row)));
  });
  node.append(names);
  const marks = svg("svg", { class: "view-marks", x: box.left, y: box.top, width: box.width, height: box.height, "data-start": view.start, "data-end": view.end });
  for (const cell of cells) {
    const wide = (cell.end - cell.start) * across;
    marks.append(svg("rect", {
      class: "view-cell", x: px((cell.start - view.start) * across), y: px(box.height - step * (cell.row + 1)),
      width: px(Math.max(1, wide - (wide > 6 ? 1 : 0))), height: px(Math.max(1, step - (step > 6 ? 1 : 0))),
      "data-row": cell.row, "data-start": cell.start, "data-text": cell.text, style: { fill: cell.color },
    }));
  }
  node.append(marks);
  if (foot > 10) node.append(times(zone, view.start, view.end, box));

  const at = (time, x, y) => {
    const row = y === null ? -1 : Math.floor((box.top + box.height - y) / step);
    const cell = cells.find((one) => one.row === row && time >= one.start && time < one.end);
    if (cell) tell(node, ...inWindow(node, x, y), `${zone.full(cell.start)} – ${zone.clock(cell.end)}`, [{ color: cell.color, name: rows[row], text: cell.text }]);
    else hush(node);
    return time;
  };
  pointing(stage, node, box, { start: view.start, end: view.end, at });
  return node;
}
