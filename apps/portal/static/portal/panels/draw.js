// Draws what the server worked out: `view` is a value of apps/panels/view/model.py, `kind` says which.
// SVG and HTML rather than a canvas: marks follow the theme, print as lines, and carry the values that they stand for.

import { barchart } from "./barchart.js";
import { complete } from "./complete.js";
import { unit } from "./dom.js";
import { gantt } from "./gantt.js";
import { bargauge, gauge } from "./gauge.js";
import { heatmap } from "./heatmap.js";
import { piechart } from "./piechart.js";
import { radar } from "./radar.js";
import { stat } from "./stat.js";
import { table } from "./table.js";
import { nothing, text } from "./text.js";
import { zoned } from "./time.js";
import { timeseries } from "./timeseries.js";

export { createCrosshair } from "./crosshair.js";

const KINDS = { timeseries, barchart, stat, gauge, bargauge, table, piechart, gantt, radar, heatmap, text, nothing };
const drawings = new WeakMap();

/**
 * Draws `view` into `element`, which has a size, in place of what was drawn there; what the viewer had chosen (series,
 * order, place in a table) stays. `context`, all optional: `label` names the panel, `zone` is its time zone,
 * `crosshair` (of createCrosshair) joins panels, `zoom(from, to)` and `zoomOut()` hear of a new range (milliseconds).
 * Answers `{destroy}`. The drawing carries `data-painted` once it can be seen.
 */
export function draw(element, view, context = {}) {
  const before = drawings.get(element);
  before?.destroy();
  const memory = before?.kind === view.kind ? before.memory : {};
  const made = start(element, complete(view), context, memory);
  const drawing = { kind: view.kind, memory, destroy: () => { made(); drawings.delete(element); } };
  drawings.set(element, drawing);
  return drawing;
}

/** What `make` makes, or a sentence `instead`: a failure stays in its panel, and whoever reads the console hears of it. */
function attempt(make, instead) {
  try {
    return make();
  } catch (error) {
    reportError(error);
    return instead(nothing({ view: { kind: "nothing", text: "This panel cannot be drawn." } }));
  }
}

function start(element, view, context, memory) {
  const cleaners = [];
  const clean = () => cleaners.splice(0).forEach((cleaner) => cleaner());
  const plot = document.createElement("div");
  plot.className = "view-plot";
  const root = document.createElement("div");
  root.className = `view is-${view.kind}`;
  root.dataset.kind = view.kind;

  const repaint = () => {
    const scale = unit();
    const [width, height] = [plot.clientWidth / scale, plot.clientHeight / scale];
    if (parts.paint && (width < 8 || height < 8)) return;
    clean();
    if (parts.paint) plot.replaceChildren(attempt(() => parts.paint(width, height), ({ node }) => node));
    root.dataset.painted = "yes";
  };
  const stage = { view, context, memory, zone: zoned(context.zone), repaint, clean: (cleaner) => cleaners.push(cleaner) };
  const parts = attempt(() => (KINDS[view.kind] ?? nothing)(stage), (sentence) => sentence);
  if (parts.node) plot.append(parts.node);
  root.append(plot);
  if (parts.legend) {
    root.append(parts.legend);
    root.classList.add(parts.legend.classList.contains("is-right") ? "has-legend-right" : "has-legend");
  }
  element.replaceChildren(root);
  parts.placed?.(plot);
  // The first observation comes before the next frame: no layout is forced here.
  const observer = new ResizeObserver(repaint);
  observer.observe(plot);
  return () => {
    observer.disconnect();
    clean();
    root.remove();
  };
}
