"use strict";

function value(row, column) {
  const cell = row.cells[column];
  return cell.tagName === "TD" && !cell.classList.contains("t") ? cell.dataset.key : cell.textContent;
}

function compare(a, b, numeric) {
  return numeric ? Number(a) - Number(b) : a.localeCompare(b, undefined, { numeric: true });
}

function sort(table, header, column) {
  const ascending = header.getAttribute("aria-sort") === "descending";
  const numeric = !header.classList.contains("t");
  const rows = [...table.tBodies[0].rows];
  const known = rows.filter((row) => value(row, column) !== undefined);
  const unknown = rows.filter((row) => value(row, column) === undefined);
  known.sort((a, b) => (ascending ? 1 : -1) * compare(value(a, column), value(b, column), numeric));
  table.tBodies[0].append(...known, ...unknown);
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sort(table, header, column));
  });
}
