// What few visits need is loaded when it is asked for.

/** Opens the panel's data or query; `tab` is "data" or "query". */
export const inspect = async (frame, page, tab) => (await import("./inspect.js")).openInspect(frame, page, tab);

/** The panel as a PNG. */
export const picture = async (element, title) => (await import("../panels/picture.js")).picture(element, title);
