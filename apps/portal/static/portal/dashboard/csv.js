// Rows as CSV.

/** The text of a table: `columns` of `{name, values}`, cells as they are. Formulas of spreadsheets are made harmless. */
export function csvOf(columns) {
  const rows = Math.max(0, ...columns.map(({ values }) => values.length));
  const lines = [columns.map(({ name }) => cell(name)).join(",")];
  for (let row = 0; row < rows; row += 1) lines.push(columns.map(({ values }) => cell(values[row])).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

function cell(value) {
  if (value === null || value === undefined) return "";
  let text = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
