// Figures that a form takes over from a row of a reference table.

// The fields that the rows of a table fill in: all that they hold but their note.
export function fieldsOf(rows) {
  const first = Object.values(rows)[0] ?? {};
  return Object.keys(first).filter((name) => name !== "note");
}

// Whether what is typed in a field is still the row's figure; without a row nothing can disagree.
export function agrees(row, name, typed) {
  if (!row) return true;
  return typed.trim() !== "" && Number(typed) === row[name];
}
