// The board and the list: dragging, questions before a card is lost or postponed, undo, picking several, more cards, places kept.
// The server decides everything: a card that was dragged stands where it was dropped only until its answer comes.
import { drag } from "./board-drag.js";
import { clear, restore as restorePicks } from "./board-pick.js";

const KEPT = "lastLead";
const board = document.getElementById("board"), asked = document.getElementById("ask"), askBody = document.getElementById("ask-body");
const panel = board ?? document.getElementById("list");
const page = `place:${location.pathname}${location.search}`;

// ---- phones: the tab of the column in view is marked, and a tab brings its column without touching the address
function mark() {
  const columns = document.getElementById("columns");
  if (!columns?.children.length) return;
  const left = columns.getBoundingClientRect().left;
  const near = [...columns.children].reduce((best, one) =>
    Math.abs(one.getBoundingClientRect().left - left) < Math.abs(best.getBoundingClientRect().left - left) ? one : best);
  for (const tab of document.querySelectorAll("[data-col]")) {
    const on = tab.dataset.col === near.id;
    if (on && !tab.hasAttribute("aria-current")) tab.parentElement.scrollTo({ left: tab.offsetLeft - 60 });
    if (on) tab.setAttribute("aria-current", "true"); else tab.removeAttribute("aria-current");
  }
}

// ---- coming back: the lead that was opened last is marked, and everything is scrolled as it was
const number = (row) => row?.id.slice(1);
function markLast() {
  const last = sessionStorage.getItem(KEPT);
  for (const row of document.querySelectorAll("[data-row]")) row.classList.toggle("last", number(row) === last);
}
const scrolled = () => [document.scrollingElement, ...document.querySelectorAll("#columns,#columns .col>ul")];
addEventListener("pagehide", () => {
  sessionStorage.setItem(page, JSON.stringify(scrolled().map((part) => [part.scrollLeft, part.scrollTop])));
});
function returned() {
  const back = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  const from = document.referrer && new URL(document.referrer);
  if (!back && !(from && from.origin === location.origin && from.pathname.startsWith("/leads/"))) return;
  const places = JSON.parse(sessionStorage.getItem(page) ?? "[]");
  scrolled().forEach((part, n) => { if (places[n]) part.scrollTo({ left: places[n][0], top: places[n][1], behavior: "instant" }); });
}

// ---- questions and several at once, in one window
let onCancel = null;
export async function ask(method, url, options = {}, cancel = null) {
  askBody.replaceChildren();
  await htmx.ajax(method, url, { source: panel, target: askBody, swap: "innerHTML", ...options });
  if (!askBody.firstElementChild) { cancel?.(); return; }
  onCancel = cancel;
  if (!asked.open) asked.showModal();
  named();
}
function named() {
  const form = askBody.querySelector("form");
  if (form?.dataset.title) document.getElementById("ask-title").textContent = form.dataset.title;
  if (form?.dataset.done !== undefined) clear();
  (askBody.querySelector("[aria-invalid=true]") ?? askBody.querySelector("form :is(input:not([type=hidden]),select,textarea,.btn)"))?.focus();
}
asked?.addEventListener("close", () => {
  onCancel?.();
  onCancel = null;
  document.dispatchEvent(new CustomEvent("refresh-live"));
});
document.addEventListener("board-done", () => {
  onCancel = null;
  if (asked?.open) asked.close();
  else document.dispatchEvent(new CustomEvent("refresh-live"));
});
// a choice shows at once what would happen
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form.bulk");
  if (form && event.target.value && form.checkValidity()) form.requestSubmit(form.querySelector(".btn:not([name])"));
});

document.addEventListener("undo-moves", (event) => {
  htmx.ajax("POST", "/board/undo", { source: panel, target: panel, swap: "none", values: { lead: event.detail.join(",") } });
});

// ---- pressing things
document.addEventListener("click", (event) => {
  const undo = event.target.closest?.("[data-undo]");
  if (undo) {
    asked.close();
    document.dispatchEvent(new CustomEvent("undo-moves", { detail: undo.dataset.undo.split(",") }));
  }
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.defaultPrevented) return;
  const tab = event.target.closest?.("[data-col]"), more = event.target.closest?.("a[data-more]"), question = event.target.closest?.("a[data-ask]");
  if (tab) {
    event.preventDefault();
    document.getElementById(tab.dataset.col)?.scrollIntoView({ inline: "start", block: "nearest" });
  } else if (more && globalThis.htmx) {
    event.preventDefault();
    const { href, dataset } = more;
    htmx.ajax("GET", dataset.more, { source: board, target: board, swap: "innerMorph" }).then(() => {
      board.dataset.live = dataset.more;
      history.replaceState(history.state, "", href);
    });
  } else if (question && globalThis.htmx) {
    event.preventDefault();
    ask("GET", question.getAttribute("href"));
  }
  const row = event.target.closest?.("[data-row]");
  if (row && event.target.closest("a")) sessionStorage.setItem(KEPT, number(row));
});
// One form serves the buttons of all cards; its answer is the board as it is now, and a toast.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !globalThis.htmx) return;
  if (form.id === "act") {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(form, event.submitter));
    htmx.ajax("POST", event.submitter.getAttribute("formaction"), { source: form, target: board, swap: "innerMorph", values });
  } else if (form.id === "bulk") {
    event.preventDefault();
    ask("POST", form.getAttribute("action"), { source: form, values: { act: event.submitter.value } });
  }
});
document.addEventListener("keydown", (event) => {
  const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.code];
  const card = event.target.closest?.(".card") ?? document.querySelector(".card.here");
  if (!card || event.target.closest?.("details.menu[open],input,select,textarea") || document.querySelector("dialog[open]")) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (event.code === "KeyM") {
    const menu = card.querySelector("details.menu");
    if (!menu) return;
    menu.open = true;
    menu.querySelector(".menu-list :is(a,button)")?.focus();
  } else if (sideways) {
    let column = card.closest(".col"), at = [...card.parentElement.querySelectorAll(".card")].indexOf(card), next = null;
    do column = sideways < 0 ? column.previousElementSibling : column.nextElementSibling;
    while (column && !(next = [...column.querySelectorAll(".card")].slice(0, at + 1).at(-1)));
    if (!next) return;
    document.querySelector(".card.here")?.classList.remove("here");
    next.classList.add("here");
    next.querySelector("a").focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  } else return;
  event.preventDefault();
});

// ---- what stands by itself
document.addEventListener("scroll", (event) => { if (event.target.id === "columns") mark(); }, true);
document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail.ctx?.target?.id;
  if (target === "ask-body") named();
  if (target === "new-body") {
    document.getElementById("q-phone")?.focus();
    document.dispatchEvent(new CustomEvent("refresh-live"));
  }
  settle();
});
function settle() {
  mark();
  markLast();
  restorePicks();
  if (board) drag(board, ask);
}
settle();
returned();
