// Dragging a card to another column: shown at once, decided by the server. A refusal, a cancel or no answer puts the card back.
// The «…» menu of a card does the same by keyboard and by touch.

// Sortable 1.15.7 is a third of the page's scripts and nobody drags before they have looked: it comes when the page has settled.
let asked = false;
function load(url, then) {
  if (asked) return;
  asked = true;
  const script = Object.assign(document.createElement("script"), { src: url, onload: then });
  const fetchIt = () => document.head.append(script);
  if (globalThis.requestIdleCallback) requestIdleCallback(fetchIt, { timeout: 1000 }); else setTimeout(fetchIt, 200);
}

const HELD = 180; // ms of touch before a card is lifted: a shorter touch scrolls the board

const moves = (card) => [...card.querySelectorAll("button[name=to]")].map((button) => button.value);
const asks = (card) => [...card.querySelectorAll("a[data-ask]")].map((link) => link.getAttribute("href").split("/").at(-1));

function counted(list, by) {
  const count = list.closest(".col")?.querySelector("header .count");
  if (count && Number(count.textContent) + by >= 0) count.textContent = String(Number(count.textContent) + by);
}

// A phone has no room for places to drop at beside its columns: there they lie below, and only while a card is held.
function begin(board, card) {
  const places = moves(card), questions = asks(card);
  board.dataset.dragging = "";
  for (const column of board.querySelectorAll(".col")) {
    const list = column.querySelector("ul");
    column.classList.toggle("may", places.includes(list.dataset.place) || questions.includes(list.dataset.ask));
  }
  const drops = document.getElementById("drops");
  for (const drop of drops.children) drop.hidden = !questions.includes(drop.dataset.ask);
  drops.hidden = !questions.length;
}

function end(board) {
  document.getElementById("drops").hidden = true;
  for (const column of board.querySelectorAll(".col.may")) column.classList.remove("may");
}

async function send(board, card, to, back) {
  const form = document.getElementById("act");
  let answered = false;
  const swapped = (event) => { answered ||= event.detail.ctx?.target === board; };
  document.addEventListener("htmx:after:swap", swapped);
  try {
    await htmx.ajax("POST", `/board/${card.dataset.lead}/move`,
      { source: form, target: board, swap: "innerMorph", values: { ...Object.fromEntries(new FormData(form)), to } });
  } finally {
    document.removeEventListener("htmx:after:swap", swapped);
    delete board.dataset.dragging;
    if (!answered) back();
  }
}

// ask(method, url, options, cancel) opens the questions of the window; cancel is called when they are left unanswered.
export function drag(board, ask) {
  if (!board.dataset.sortable) return;
  if (!globalThis.Sortable) { load(board.dataset.sortable, () => drag(board, ask)); return; }
  let next = null;
  const drop = ({ item, from, to }) => {
    end(board);
    const place = to.dataset.place, before = next;
    const what = to.dataset.ask ?? (place === "refusal" && !moves(item).includes(place) && asks(item).includes("refuse") ? "refuse" : "");
    const back = () => {
      item.classList.remove("waits");
      if (item.parentElement !== from && item.isConnected) { counted(item.parentElement, -1); counted(from, 1); }
      if (from.isConnected) from.insertBefore(item, before?.parentElement === from ? before : null);
    };
    if (from === to) { delete board.dataset.dragging; return; }
    counted(from, -1);
    counted(to, 1);
    item.classList.add("waits");
    if (!what) { send(board, item, place, back); return; }
    if (to.classList.contains("drop")) { back(); item.classList.add("waits"); }
    ask("GET", `/board/${item.dataset.lead}/ask/${what}`, {}, back).finally(() => { delete board.dataset.dragging; });
  };
  for (const list of [...board.querySelectorAll(".col>ul"), ...document.querySelectorAll("#drops>ul")]) {
    if (globalThis.Sortable.get(list)) continue;
    globalThis.Sortable.create(list, {
      group: "board", draggable: ".card.can", filter: "input,button,summary,.menu-list", preventOnFilter: false, sort: false,
      delay: HELD, delayOnTouchOnly: true, touchStartThreshold: 5, forceFallback: true, fallbackOnBody: true, fallbackTolerance: 4,
      animation: 0, ghostClass: "ghost", fallbackClass: "flies", scrollSensitivity: 80, emptyInsertThreshold: 40,
      onStart: ({ item }) => { next = item.nextElementSibling; begin(board, item); },
      onEnd: drop,
    });
  }
}
