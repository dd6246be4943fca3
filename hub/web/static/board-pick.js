// Picking leads for what is done to several at once: by the box, with shift from the last one on, by the key X.

const picked = new Set();
let last = null;
const boxes = () => [...document.querySelectorAll("input.pick:not(.all)")];

function show() {
  const bar = document.getElementById("bulk");
  if (!bar) return;
  bar.hidden = picked.size === 0;
  bar.querySelector("[data-picked]").textContent = String(picked.size);
  document.body.classList.toggle("picking", picked.size > 0);
  for (const box of boxes()) box.closest("[data-row]")?.classList.toggle("picked", box.checked);
  const all = document.querySelector("input.pick.all"), there = boxes().length;
  if (all) {
    all.checked = there > 0 && picked.size === there;
    all.indeterminate = picked.size > 0 && picked.size < there;
  }
}

function set(box, on) {
  box.checked = on;
  if (on) picked.add(box.value); else picked.delete(box.value);
}

// After a refresh: what is on the page stays picked, what has left it does not.
export function restore() {
  const there = new Set(boxes().map((box) => box.value));
  for (const id of picked) if (!there.has(id)) picked.delete(id);
  for (const box of boxes()) box.checked = picked.has(box.value);
  show();
}

export function clear() {
  picked.clear();
  restore();
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-unpick]")) clear();
  const box = event.target.closest?.("input.pick");
  if (!box) return;
  if (box.classList.contains("all")) for (const one of boxes()) set(one, box.checked);
  else {
    const all = boxes(), from = all.findIndex((one) => one.value === last), to = all.indexOf(box);
    const range = event.shiftKey && from >= 0 ? all.slice(Math.min(from, to), Math.max(from, to) + 1) : [box];
    for (const one of range) set(one, box.checked);
    last = box.value;
  }
  show();
});
document.addEventListener("keydown", (event) => {
  if (event.code !== "KeyX" || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest?.("input:not([type=checkbox]),textarea,select")) return;
  const row = event.target.closest?.("[data-row]") ?? document.querySelector("[data-row].here");
  const box = row?.querySelector("input.pick");
  if (!box) return;
  set(box, !box.checked);
  last = box.value;
  show();
  event.preventDefault();
});
