// Lines through points, as the `d` of an SVG path.

import { px } from "./dom.js";

/** The indices that one stroke connects, stroke by stroke. Without a value for longer than `gap` ms, a new one begins. */
export function strokes(times, values, gap) {
  const found = [];
  let last = -1;
  for (let index = 0; index < values.length; index += 1) {
    if (values[index] === null || values[index] === undefined) continue;
    const crosses = last === index - 1 || gap === -1 || times[index] - times[last] <= gap;
    if (last >= 0 && crosses) found.at(-1).push(index);
    else found.push([index]);
    last = index;
  }
  return found;
}

/** Of more points than a screen can show, the first, lowest, highest and last of each column of pixels. */
export function thin(points, width) {
  if (points.length <= 4 * width) return points;
  const kept = [];
  for (let start = 0; start < points.length; ) {
    const column = Math.floor(points[start].x);
    let end = start;
    let low = start;
    let high = start;
    for (; end < points.length && Math.floor(points[end].x) === column; end += 1) {
      if (points[end].y < points[low].y) low = end;
      if (points[end].y > points[high].y) high = end;
    }
    const chosen = [...new Set([start, low, high, end - 1])].sort((a, b) => a - b);
    for (const index of chosen) kept.push(points[index]);
    start = end;
  }
  return kept;
}

const OPPOSITE = { stepBefore: "stepAfter", stepAfter: "stepBefore" };

/** The path through `{x, y}` in the manner of `curve`; `start` is its first command. */
export function through(points, curve, start = "M") {
  const [first, ...rest] = points;
  let path = `${start}${px(first.x)} ${px(first.y)}`;
  if (curve === "stepAfter") for (const { x, y } of rest) path += `H${px(x)}V${px(y)}`;
  else if (curve === "stepBefore") for (const { x, y } of rest) path += `V${px(y)}H${px(x)}`;
  else if (curve === "smooth" && points.length > 2) path += smooth(points);
  else for (const { x, y } of rest) path += `L${px(x)} ${px(y)}`;
  return path;
}

/** The area between the points and `floor`: a height, or the height below each point. */
export function area(points, curve, floor) {
  const back = points.map(({ x, base }) => ({ x, y: base ?? floor })).reverse();
  return `${through(points, curve)}${through(back, OPPOSITE[curve] ?? curve, "L")}Z`;
}

/** Cubic curves that never leave the range of their two ends (Fritsch and Carlson's tangents). */
function smooth(points) {
  const slopes = points.slice(1).map((point, index) => {
    const width = point.x - points[index].x;
    return width ? (point.y - points[index].y) / width : 0;
  });
  const tangents = points.map((_, index) => {
    if (index === 0) return slopes[0];
    if (index === points.length - 1) return slopes[index - 1];
    const [before, after] = [slopes[index - 1], slopes[index]];
    if (before * after <= 0) return 0;
    const left = points[index].x - points[index - 1].x;
    const right = points[index + 1].x - points[index].x;
    return (3 * (left + right)) / ((2 * right + left) / before + (right + 2 * left) / after);
  });
  let path = "";
  for (let index = 1; index < points.length; index += 1) {
    const [from, to] = [points[index - 1], points[index]];
    const third = (to.x - from.x) / 3;
    path += `C${px(from.x + third)} ${px(from.y + tangents[index - 1] * third)} ${px(to.x - third)} ${px(to.y - tangents[index] * third)} ${px(to.x)} ${px(to.y)}`;
  }
  return path;
}
