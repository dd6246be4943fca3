// The board on a phone: the tab of the column in view is marked, and a tab brings its column without touching the address.
// On return the lead that was opened last is marked.
const KEPT = "lastLead";

function mark() {
  const board = document.getElementById("columns");
  if (!board) return;
  const left = board.getBoundingClientRect().left;
  const columns = [...board.children];
  const near = columns.reduce((best, one) =>
    Math.abs(one.getBoundingClientRect().left - left) < Math.abs(best.getBoundingClientRect().left - left) ? one : best, columns[0]);
  for (const tab of document.querySelectorAll("[data-col]")) {
    const on = tab.dataset.col === near?.id;
    if (on && !tab.hasAttribute("aria-current")) tab.parentElement.scrollTo({ left: tab.offsetLeft - 60 });
    if (on) tab.setAttribute("aria-current", "true"); else tab.removeAttribute("aria-current");
  }
}

function markLast() {
  const id = sessionStorage.getItem(KEPT);
  for (const card of document.querySelectorAll(".card")) card.classList.toggle("last", card.id === id);
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest?.("[data-col]");
  if (tab) {
    event.preventDefault();
    document.getElementById(tab.dataset.col)?.scrollIntoView({ inline: "start", block: "nearest" });
  }
  const card = event.target.closest?.(".card");
  if (card && event.target.closest("a")) sessionStorage.setItem(KEPT, card.id);
});
// One form serves the buttons of all cards; its answer is the board as it is now, and a toast.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id !== "act" || event.defaultPrevented || !globalThis.htmx) return;
  event.preventDefault();
  const values = Object.fromEntries(new FormData(form, event.submitter));
  htmx.ajax("POST", event.submitter.getAttribute("formaction"), { source: form, target: "#board", swap: "innerMorph", values });
});
document.addEventListener("scroll", (event) => { if (event.target.id === "columns") mark(); }, true);
document.addEventListener("htmx:after:swap", () => { mark(); markLast(); });
mark();
markLast();
