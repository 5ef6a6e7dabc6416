// Files for the person who looks.

/** A file's name from a panel's title. */
export const fileName = (title, ending) => `${title.replace(/[^\p{L}\p{N} _-]/gu, " ").replace(/ +/g, " ").trim() || "panel"}.${ending}`;

/** Hands a `Blob` to the person as a file. */
export function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
