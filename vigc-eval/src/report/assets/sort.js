for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
    const cell = (row) => row.cells[column], number = (row) => cell(row).dataset.sort ?? "";
    const rows = [...body.rows], numbers = rows.some(number);
    const first = numbers ? "descending" : "ascending", other = numbers ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const compare = (a, b) => numbers
      ? !number(a) - !number(b) || sign * (number(a) - number(b))
      : sign * cell(a).textContent.localeCompare(cell(b).textContent, undefined, { numeric: true });
    body.append(...rows.sort(compare));
  }));
}
