// Stacks of which some series are hidden.

/**
 * The series, those that stand on hidden ones moved down to what is left. Each has `values` (where it ends) and `base`
 * (where it starts); `groupOf` names what can stand on each other. The server has stacked them in their order.
 */
export function settle(all, isHidden, groupOf = () => "") {
  if (!all.some(isHidden)) return all;
  const piles = new Map();
  return all.map((one) => {
    if (!one.base?.length) return one;
    const group = groupOf(one);
    // The lowest of a stack starts at zero; an area between two lines does not.
    if (!piles.has(group)) piles.set(group, one.base.every((value) => !value) && { above: [], below: [] });
    const pile = piles.get(group);
    return pile && !isHidden(one) ? { ...one, ...placed(one, pile) } : one;
  });
}

function placed({ values, base }, { above, below }) {
  const starts = [];
  const ends = values.map((end, at) => {
    if (end === null) return null;
    const own = end - (base[at] ?? 0);
    const side = own < 0 ? below : above;
    starts[at] = side[at] ?? 0;
    side[at] = starts[at] + own;
    return side[at];
  });
  return { values: ends, base: values.map((_, at) => starts[at] ?? null) };
}
