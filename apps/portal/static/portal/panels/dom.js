// Elements from plain values. Text always becomes a text node; colours and sizes go through the CSS object model.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. `attributes.style` is an object of CSS properties; absent and false attributes are left out. */
export function html(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), attributes, children);
}

function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "style") paint(element, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== ""));
  return element;
}

/** Sets CSS properties; empty values leave what the style sheet says. */
export function paint(element, style) {
  for (const [name, value] of Object.entries(style)) {
    if (value !== undefined && value !== null && value !== "") element.style.setProperty(name, value);
  }
}

/** A number for an attribute of SVG: a tenth of a pixel is enough. */
export const px = (value) => Math.round(value * 10) / 10;

/** A length of HTML in the unit of drawings: the sixteenth of the root's letters, which grow on a wall display. */
export const rem = (value) => `${Math.round((value / 16) * 1000) / 1000}rem`;

/** How many of the page's pixels such a unit has. */
export const unit = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

let ruler;
const widths = new Map();

/** The width in pixels of a text in the page's font. */
export function measure(text, size, weight = 400) {
  const key = `${weight} ${size} ${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (!ruler) {
      ruler = document.createElement("canvas").getContext("2d");
      ruler.family = getComputedStyle(document.body).fontFamily;
    }
    ruler.font = `${weight} ${size}px ${ruler.family}`;
    width = ruler.measureText(text).width;
    if (widths.size > 20_000) widths.clear();
    widths.set(key, width);
  }
  return width;
}

/** The text, or as much of it as fits with an ellipsis. */
export function shorten(text, width, size, weight) {
  if (measure(text, size, weight) <= width) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (measure(`${text.slice(0, middle)}…`, size, weight) <= width) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low).trimEnd()}…` : "";
}
