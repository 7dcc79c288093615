"use strict";

function value(row, column, numeric) {
  const cell = row.cells[column];
  if (!numeric) return cell.textContent;
  const number = Number(cell.dataset.key ?? cell.firstChild.textContent);
  return Number.isNaN(number) ? undefined : number;
}

function compare(a, b, numeric) {
  return numeric ? a - b : a.localeCompare(b, undefined, { numeric: true });
}

function sort(table, header, column) {
  const ascending = header.getAttribute("aria-sort") === "descending";
  const numeric = !table.classList.contains(`t${column + 1}`);
  const rows = [...table.tBodies[0].rows];
  const known = rows.filter((row) => value(row, column, numeric) !== undefined);
  const unknown = rows.filter((row) => value(row, column, numeric) === undefined);
  known.sort((a, b) => (ascending ? 1 : -1) * compare(value(a, column, numeric), value(b, column, numeric), numeric));
  table.tBodies[0].append(...known, ...unknown);
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
}

for (const box of document.querySelectorAll(".scroll")) {
  const table = box.querySelector("table");
  const name = (table.caption ?? box.parentElement.querySelector("summary")).textContent;
  for (const named of [box, table]) named.setAttribute("aria-label", name);
  box.setAttribute("role", "group");
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
