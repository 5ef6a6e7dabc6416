// A panel as a PNG.

import { html, svg } from "./dom.js";

// What makes a mark look as it does; anything else would only make the copy large.
const PROPERTIES = [
  "align-content", "align-items", "align-self", "background-color", "background-image", "border-bottom",
  "border-collapse", "border-left", "border-radius", "border-right", "border-spacing", "border-top", "box-sizing",
  "caption-side", "color", "column-gap", "display", "fill", "fill-opacity", "fill-rule", "filter", "flex",
  "flex-direction", "flex-wrap", "font-family", "font-size", "font-style", "font-variant-numeric", "font-weight",
  "grid-column", "grid-template-areas", "grid-template-columns", "grid-template-rows", "height", "inset",
  "justify-content", "justify-self", "letter-spacing", "line-height", "list-style", "margin", "max-width",
  "min-width", "opacity", "padding", "paint-order", "position", "row-gap", "stroke", "stroke-dasharray",
  "stroke-linecap", "stroke-linejoin", "stroke-width", "text-align", "text-overflow", "vector-effect",
  "vertical-align", "visibility", "white-space", "width", "z-index",
];

/** The drawing in `element` with its title above, as a `Blob` of a PNG with `scale` pixels for one of the page's. */
export async function picture(element, title = "", scale = 2) {
  const { width, height } = element.getBoundingClientRect();
  const head = title ? 28 : 0;
  const frame = svg("svg", { width, height: height + head, viewBox: `0 0 ${width} ${height + head}` });
  const page = getComputedStyle(element);
  const ground = solid("var(--surface)");
  frame.append(svg("rect", { width: "100%", height: "100%", fill: ground }));
  if (title) frame.append(svg("text", { x: 10, y: 19, style: { fill: page.color, font: `600 13px ${page.fontFamily}` } }, title));
  const hull = svg("foreignObject", { y: head, width, height });
  hull.append(...[...element.children].map(copy));
  frame.append(hull);
  const image = html("img", { src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(frame))}` });
  await image.decode();
  const canvas = html("canvas", { width: Math.round(width * scale), height: Math.round((height + head) * scale) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser could not make the picture."))), "image/png");
  });
}

/** A colour of the theme in force as a plain one. */
function solid(color) {
  const probe = document.body.appendChild(html("i", { hidden: true, style: { color } }));
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** The element with all its looks on itself, since the picture has no style sheet. */
function copy(element) {
  const made = element.cloneNode(false);
  const looks = getComputedStyle(element);
  for (const name of PROPERTIES) made.style.setProperty(name, looks.getPropertyValue(name));
  if (looks.overflow !== "visible") made.style.overflow = "hidden"; // no scroll bars on paper
  made.removeAttribute("class");
  for (const child of element.childNodes) {
    made.append(child.nodeType === Node.ELEMENT_NODE ? copy(child) : child.cloneNode(false));
  }
  return made;
}
