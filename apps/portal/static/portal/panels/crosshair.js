// One time under the pointer for all panels of a page.

/** `point(time, source)` tells every listener but the source; a time of null takes the line away. */
export function createCrosshair() {
  const listeners = new Map();
  return {
    point(time, source) {
      for (const [owner, listener] of listeners) if (owner !== source) listener(time);
    },
    listen(owner, listener) {
      listeners.set(owner, listener);
      return () => listeners.delete(owner);
    },
  };
}
