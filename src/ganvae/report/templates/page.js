"use strict";

// Sort a table by the column whose title is clicked. Rows without a value stay at the bottom.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const value = (row, column) => {
    const cell = row.cells[column];
    return column === 0 ? cell.textContent.trim() : parseFloat(cell.dataset.value);
  };
  const compare = (a, b, order) => {
    if (typeof a === "string") return order * a.localeCompare(b);
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return order * (a - b);
  };
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const other = { ascending: "descending", descending: "ascending" };
      const now = head.getAttribute("aria-sort");
      const next = now ? other[now] : head.dataset.first;
      heads.forEach((title) => title.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", next);
      const order = next === "ascending" ? 1 : -1;
      const rows = [...body.rows];
      rows.sort((a, b) => compare(value(a, column), value(b, column), order));
      rows.forEach((row) => body.append(row));
    });
  });
}

// Enlarge a picture in a dialog. Escape, the button or a click beside the picture closes it.
const zoom = document.getElementById("zoom");
for (const button of document.querySelectorAll("button.zoom")) {
  button.addEventListener("click", () => {
    const from = [...button.querySelectorAll("img")].find((image) => image.offsetParent);
    const to = zoom.querySelector("img");
    to.src = from.src;
    to.alt = from.alt;
    zoom.querySelector("p").textContent = from.alt;
    zoom.showModal();
  });
}
zoom.addEventListener("click", (event) => {
  if (event.target === zoom) zoom.close();
});

// Print with all details open. Afterwards, close the details that the reader had closed.
const opened = new Set();
const unfold = (printing) => {
  for (const details of document.querySelectorAll("details")) {
    if (printing && !details.open) {
      opened.add(details);
      details.open = true;
    } else if (!printing && opened.delete(details)) {
      details.open = false;
    }
  }
};
window.matchMedia("print").addEventListener("change", (media) => unfold(media.matches));
window.addEventListener("beforeprint", () => unfold(true));
window.addEventListener("afterprint", () => unfold(false));
