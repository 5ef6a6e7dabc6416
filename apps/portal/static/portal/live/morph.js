// Makes a part of the page like the server's new drawing of it, moving as little as possible: what is the same stays
// the same element, with its focus, selection and what scripts have done to it.

const KEPT = "[data-dashboard], .messages, .filters, dialog[open]";
const NEWS = ".live-news"; // ours: no part of what the server draws
const LOCAL_CLASSES = /^(is-compact|is-current|is-fitting|is-new|is-placed|hide-\d+)$/;
const LOCAL_ATTRIBUTES = new Set(["data-label", "data-local", "tabindex", "open", "aria-pressed", "data-live-bound"]);
const LISTS = "tbody, ul.tally, ul.tiles";

/** Makes `from` like `to`. `held(list)` says that rows may neither come nor go there now; `found(list, rows)` hears of
 * rows that came, or would have come, and whether they were `held`. */
export function morph(from, to, hooks) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    const fresh = document.importNode(to, true);
    from.replaceWith(fresh);
    return fresh;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return from;
  }
  if (from.matches(KEPT) || from.isEqualNode(to)) return from;
  if (from.matches("input, select, textarea")) return from;
  if (from.matches("time[data-show]")) return time(from, to);
  if (from.matches("[data-chart]")) return chart(from, to);
  attributes(from, to);
  children(from, to, hooks);
  return from;
}

function time(from, to) {
  if (from.dateTime === to.dateTime) return from;
  from.dateTime = to.dateTime;
  from.textContent = to.textContent;
  delete from.dataset.local;
  return from;
}

/** A chart is drawn as one piece; while somebody points at it, or reads its values, it stays. */
function chart(from, to) {
  const pointed = from.matches(":hover") || from.querySelector("details[open]");
  const same = [".chart-plot", ".chart-values"].every((part) => {
    const [old, fresh] = [from.querySelector(part), to.querySelector(part)];
    return (old && shape(old)) === (fresh && shape(fresh));
  });
  if (pointed || same) return from;
  const fresh = document.importNode(to, true);
  from.replaceWith(fresh);
  return fresh;
}

const shape = (node) => node.outerHTML.replace(/<path class="plot-cursor"[^>]*>|<time[^>]*>[^<]*<\/time>/g, "");

function attributes(from, to) {
  for (const { name, value } of to.attributes) {
    if (name === "class" || LOCAL_ATTRIBUTES.has(name)) continue;
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (name !== "class" && !LOCAL_ATTRIBUTES.has(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  }
  const local = [...from.classList].filter((name) => LOCAL_CLASSES.test(name));
  const given = [...to.classList].filter((name) => !LOCAL_CLASSES.test(name));
  const wanted = [...given, ...local].join(" ");
  if (from.className !== wanted && typeof from.className === "string") from.className = wanted;
}

/** What tells a child from its neighbours, whatever its place. */
function keyOf(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return null;
  const own = node.id || node.dataset.key || node.dataset.href;
  if (own) return own;
  return node.matches("li") ? node.querySelector("a[href]")?.getAttribute("href") ?? null : null;
}

function children(from, to, hooks) {
  const list = from.matches(LISTS);
  const keyed = new Map();
  const loose = [];
  for (const node of [...from.childNodes]) {
    if (isNews(node)) continue;
    const key = keyOf(node);
    if (key !== null && !keyed.has(key)) keyed.set(key, node);
    else loose.push(node);
  }
  const fresh = [...to.childNodes].map((node) => ({ node, key: keyOf(node) }));
  const come = list && keyed.size ? fresh.filter(({ key }) => key !== null && !keyed.has(key)) : [];
  const held = come.length + leaving(keyed, fresh) > 0 && list && hooks.held(from);
  if (come.length) hooks.found(from, come.length, held);
  if (held) {
    for (const { node, key } of fresh) if (key !== null && keyed.has(key)) morph(keyed.get(key), node, hooks);
    return;
  }
  let here = pastNews(from.firstChild);
  for (const { node, key } of fresh) {
    let kept = key !== null ? keyed.get(key) : loose.find((one) => one.nodeType === node.nodeType && one.nodeName === node.nodeName);
    if (key !== null) keyed.delete(key);
    else if (kept) loose.splice(loose.indexOf(kept), 1);
    if (kept) {
      if (kept !== here) from.insertBefore(kept, here);
      kept = morph(kept, node, hooks);
      here = pastNews(kept.nextSibling);
    } else {
      const made = document.importNode(node, true);
      if (list && made.nodeType === Node.ELEMENT_NODE && come.length) {
        made.classList.add("is-new");
        made.addEventListener("animationend", () => made.classList.remove("is-new"), { once: true });
      }
      from.insertBefore(made, here);
    }
  }
  for (const node of [...keyed.values(), ...loose]) if (!(node.nodeType === Node.ELEMENT_NODE && node.matches(KEPT))) node.remove();
}

const isNews = (node) => node?.nodeType === Node.ELEMENT_NODE && node.matches(NEWS);
const pastNews = (node) => (isNews(node) ? node.nextSibling : node);

const leaving = (keyed, fresh) => {
  const wanted = new Set(fresh.map(({ key }) => key));
  return [...keyed.keys()].filter((key) => !wanted.has(key)).length;
};
