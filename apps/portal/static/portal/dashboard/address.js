// The address is the state of the page: the range, the variables, the rows that are open, the panel that fills the page.

const RANGE = new Set(["from", "to", "tz"]);

/** The search part of this address with some parameters changed: a value, a list of values, or null to leave it out. */
export function changed(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const one of value === null ? [] : [value].flat()) query.append(name, one);
  }
  return query.size ? `?${query}` : "";
}

/** Whether a change moves the range alone, so that panels need not wait for the page. */
export const movesRange = (changes) => Object.keys(changes).every((name) => RANGE.has(name));

/** The parameters of a form, with its names that stand for nothing. */
export function fields(form) {
  const found = {};
  for (const [name, value] of new FormData(form)) (found[name] ??= []).push(value);
  return found;
}
