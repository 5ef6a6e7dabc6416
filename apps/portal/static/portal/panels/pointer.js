// Pointing at times: the shared line, zooming by dragging, the keyboard.

import { px, svg } from "./dom.js";
import { hush } from "./tooltip.js";

const DRAG = 6; // pixels before a press becomes a drag

/** Where an event is in a drawing. */
export function spotOf(node, event) {
  const frame = node.getBoundingClientRect();
  const scale = node.viewBox.baseVal.width / frame.width;
  return [(event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale];
}

/** Where a place of a drawing is in the window. */
export function inWindow(node, x, y) {
  const frame = node.getBoundingClientRect();
  const scale = frame.width / node.viewBox.baseVal.width;
  return [frame.left + x * scale, frame.top + y * scale];
}

/**
 * Lets people point at times on `node`, whose marks fill `box` from `start` to `end` (milliseconds).
 * `at(time, x, y)` is told where the pointer is (x, y in the node; y null from the keyboard) and answers the time to mark,
 * `step(time, direction)` names the next time for the arrow keys, `leave()` hears the end, `press(event)` a plain click.
 */
export function pointing(stage, node, box, { start, end, at, leave, step, press }) {
  const { context } = stage;
  const bottom = box.top + box.height;
  const line = svg("path", { class: "view-cursor", visibility: "hidden" });
  const range = svg("rect", { class: "view-range", y: box.top, height: box.height, visibility: "hidden" });
  node.append(range, line);
  let from = null;
  let current = null;

  const toX = (time) => box.left + (box.width * (time - start)) / (end - start);
  const toTime = (x) => start + ((end - start) * (x - box.left)) / box.width;
  const clamp = (x) => Math.max(box.left, Math.min(box.left + box.width, x));

  function mark(time) {
    const seen = time !== null && time >= start && time <= end;
    line.setAttribute("visibility", seen ? "visible" : "hidden");
    if (seen) line.setAttribute("d", `M${px(toX(time))} ${px(box.top)}V${px(bottom)}`);
  }

  function point(x, y) {
    current = at(toTime(x), x, y) ?? toTime(x);
    mark(current);
    context.crosshair?.point(current, node);
  }

  function rest() {
    current = null;
    mark(null);
    leave?.();
    hush(node);
    context.crosshair?.point(null, node);
  }

  node.addEventListener("pointerdown", (event) => {
    const [x, y] = spotOf(node, event);
    const inside = x >= box.left && x <= box.left + box.width && y >= box.top && y <= bottom;
    if (!inside) return;
    if (event.pointerType === "touch") point(x, y);
    else if (event.button === 0 && context.zoom) from = { x, id: event.pointerId };
  });
  node.addEventListener("pointermove", (event) => {
    const [x, y] = spotOf(node, event);
    if (from && Math.abs(x - from.x) > DRAG) {
      node.setPointerCapture(from.id);
      const edges = [from.x, clamp(x)].sort((a, b) => a - b);
      range.setAttribute("visibility", "visible");
      range.setAttribute("x", px(edges[0]));
      range.setAttribute("width", px(edges[1] - edges[0]));
    }
    if (x >= box.left && x <= box.left + box.width && y >= box.top && y <= bottom) point(x, y);
    else if (!from) rest();
  });
  node.addEventListener("pointerup", (event) => {
    const [x] = spotOf(node, event);
    const begun = from;
    from = null;
    range.setAttribute("visibility", "hidden");
    if (begun && Math.abs(x - begun.x) > DRAG) {
      const [left, right] = [toTime(begun.x), toTime(clamp(x))].sort((a, b) => a - b);
      rest();
      context.zoom(Math.round(left), Math.round(right));
    } else if (begun || event.pointerType === "touch") {
      press?.(event);
    }
  });
  node.addEventListener("pointercancel", () => {
    from = null;
    range.setAttribute("visibility", "hidden");
  });
  // After a touch the words stay until the next touch elsewhere takes the focus.
  node.addEventListener("pointerleave", (event) => from || event.pointerType === "touch" || rest());
  node.addEventListener("dblclick", () => context.zoomOut?.());
  node.addEventListener("blur", rest);
  node.addEventListener("keydown", (event) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape" && current !== null) rest();
    else if (direction && step) {
      const time = step(current ?? (direction > 0 ? start : end), direction);
      if (time !== null) point(toX(time), null);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  stage.clean(() => hush(node));
  if (context.crosshair) stage.clean(context.crosshair.listen(node, mark));
}
