// Whether somebody is reading a list, so that nothing in it may move now.

const POINTER_REST = 8000; // milliseconds after which a pointer that lies still reads no more

let pointer = { at: 0, target: null };
document.addEventListener("pointermove", (event) => { pointer = { at: Date.now(), target: event.target }; }, { passive: true });
document.addEventListener("pointerdown", (event) => { pointer = { at: Date.now(), target: event.target }; }, { passive: true });

/** Whether `list` is being read: something in it has the focus, is selected, open or pointed at, or its top has been
 * scrolled away, so that what came in above would push down what is looked at. */
export function isRead(list) {
  if (list.contains(document.activeElement) && document.activeElement !== document.body) return true;
  const selection = getSelection();
  if (selection && !selection.isCollapsed && selection.rangeCount && list.contains(selection.getRangeAt(0).commonAncestorContainer)) return true;
  if (list.querySelector("details[open], dialog[open]")) return true;
  if (Date.now() - pointer.at < POINTER_REST && pointer.target instanceof Node && list.contains(pointer.target)) return true;
  const box = list.getBoundingClientRect();
  return box.height > 0 && box.top < 0 && box.bottom > 0;
}
