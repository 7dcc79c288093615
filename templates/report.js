"use strict";

const UNITS = { kB: 1e3, MB: 1e6, GB: 1e9, ms: 1e-3, min: 60, h: 3600 };

function value(row, column, numeric) {
  const cell = row.cells[column];
  if (!numeric) return cell.textContent;
  const [, digits, unit] = /^([-+−\d.,e]+)\s*(kB|MB|GB|ms|min|s|h)?/.exec(cell.firstChild?.textContent.replaceAll(",", "").replace("−", "-") ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits) * (UNITS[unit] ?? 1);
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
  for (const named of [box, table]) named.setAttribute("aria-label", table.caption.textContent);
  box.setAttribute("role", "group");
  box.tabIndex = 0;
}

for (const table of document.querySelectorAll("details > table")) {
  table.setAttribute("aria-label", table.previousElementSibling.textContent);
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

// Marks: the mouse and the arrow keys read each one from its row in the table that holds the numbers.

const make = (name, attributes) => Object.assign(document.createElement(name), attributes);
const tip = make("div", { className: "tip", hidden: true });
const spoken = make("div", { className: "unseen", role: "status" });
const ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
ring.setAttribute("class", "ring");
ring.setAttribute("r", 9);
document.body.append(tip, spoken);

function tablesOf(svg) {
  let host = svg.parentElement;
  while (!host.querySelector("details table")) host = host.parentElement;
  return host.querySelectorAll("details table");
}

function numbersIn(ranges) {
  return ranges.split(" ").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, k) => first + k);
  });
}

function marksOf(svg) {
  const marks = new Map();
  const add = (x, y, row, table = 0) => marks.set(`${table}/${row}`, { x, y, row, table });
  for (const { dataset, attributes } of svg.querySelectorAll("path[data-r]")) {
    const rows = numbersIn(dataset.r);
    let [x, y] = [0, 0];
    for (const [, dx, dy] of attributes.d.value.matchAll(/m(-?\d+) ?(-?\d+)z/gi)) {
      [x, y] = [x + Number(dx), y + Number(dy)];
      add(x / 1000, y / 4, rows.shift(), dataset.t);
    }
  }
  for (const { dataset, attributes } of svg.querySelectorAll("use[data-r]")) {
    add(parseFloat(attributes.x.value) / 100, Number(attributes.y.value), dataset.r, dataset.t);
  }
  return [...marks.values()].sort((a, b) => a.x - b.x || a.y - b.y);
}

const textOf = (cell) => [...cell.childNodes].map((node) => node.textContent.trim()).filter(Boolean).join(" ");

function cellsOf(svg, { table, row }) {
  const { tHead, tBodies } = tablesOf(svg)[table];
  return [...tBodies[0].rows[row].cells]
    .map((cell, k) => [textOf(tHead.rows[0].cells[k]), textOf(cell)])
    .filter(([, text]) => text && text !== "–");
}

function boxOf(svg) {
  const [box, css] = [svg.getBoundingClientRect(), getComputedStyle(svg)];
  const [left, right, top] = [css.paddingLeft, css.paddingRight, css.paddingTop].map(parseFloat);
  return { left: box.left + left, top: box.top + top, width: box.width - left - right };
}

function show(svg, mark) {
  const { left, top, width } = boxOf(svg);
  const cells = cellsOf(svg, mark);
  tip.replaceChildren(...cells.flatMap(([name, text], k) => [make("span", { textContent: `${k ? " · " : ""}${name} ` }), text]));
  tip.hidden = false;
  const [x, y] = [left + mark.x * width, top + mark.y];
  const edge = document.documentElement.clientWidth - tip.offsetWidth - 4;
  tip.style.left = `${Math.max(4, Math.min(x - tip.offsetWidth / 2, edge)) + scrollX}px`;
  tip.style.top = `${(y < tip.offsetHeight + 24 ? y + 16 : y - tip.offsetHeight - 16) + scrollY}px`;
  ring.setAttribute("cx", `${100 * mark.x}%`);
  ring.setAttribute("cy", mark.y);
  svg.append(ring);
  return cells.map((cell) => cell.join(" ")).join(", ");
}

function hide() {
  tip.hidden = true;
  ring.remove();
}

for (const svg of document.querySelectorAll("svg[role=img]")) {
  const marks = marksOf(svg);
  if (!marks.length) continue;
  let at = 0;
  const go = (to) => {
    at = Math.max(0, Math.min(marks.length - 1, to));
    spoken.textContent = `${show(svg, marks[at])}. ${at + 1} of ${marks.length}`;
  };
  svg.setAttribute("tabindex", 0);
  svg.setAttribute("aria-description", `${marks.length} marks, read by the arrow keys`);
  svg.addEventListener("focus", () => svg.matches(":focus-visible") && go(at));
  svg.addEventListener("blur", hide);
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: marks.length }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  });
  svg.addEventListener("pointermove", ({ clientX, clientY }) => {
    const { left, top, width } = boxOf(svg);
    const far = ({ x, y }) => Math.hypot(clientX - left - x * width, clientY - top - y);
    const nearest = marks.reduce((a, b) => (far(b) < far(a) ? b : a));
    if (far(nearest) > 24) hide();
    else show(svg, nearest);
  });
}

// The results inside the page: what nncompare/report/embedded.py packed, as JSON text, because an object would put
// names that are whole numbers first.

function textsIn([tag, ...rest]) {
  if (tag === 2) return rest.map(jsonOf);
  if (tag === 1) {
    let sum = 0;
    return rest.slice(1).map((step) => String((sum += step) / 10 ** rest[0]));
  }
  const [names, packed] = rest;
  const columns = [];
  for (const column of packed) columns.push(typeof column === "number" ? columns[column] : textsIn(column));
  return columns[0].map((_, k) => objectOf(names.map((name, at) => [name, columns[at][k]])));
}

function objectOf(pairs) {
  return `{${pairs.map(([name, text]) => `${JSON.stringify(name)}: ${text}`).join(",\n")}}`;
}

function jsonOf(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value) && value[0] !== 3) return `[${textsIn(value).join(", ")}]`;
  const pairs = Array.isArray(value) ? value.slice(1) : Object.entries(value);
  return objectOf(pairs.map(([name, item]) => [name, jsonOf(item)]));
}

async function results() {
  const packed = Uint8Array.from(atob(document.getElementById("results").content.textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return `${jsonOf(JSON.parse(await new Response(stream).text()))}\n`;
}

const save = make("button", { type: "button", className: "save", textContent: "Download results.json" });
save.addEventListener("click", async () => {
  const href = URL.createObjectURL(new Blob([await results()], { type: "application/json" }));
  make("a", { href, download: "results.json" }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
});
document.querySelector("#provenance .answer").after(save);
