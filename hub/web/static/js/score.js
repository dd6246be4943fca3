// The score sheet adds itself up while it is filled in; the server counts again (R9, R10) and its word is the one that stands.
// form[data-score] data-bounds="C:-15:-10 B:-9:9 A:10:15" · [data-score-block] around a block with [data-score-sum] · [data-uncounted] around what stays out of the sums ·
// [data-score-total] · [data-score-segment] (a .seg) · [data-score-left] · svg [data-score-dot] moves along data-from..data-to
import { say } from "./words.js";

const signed = (n) => (n > 0 ? `+${n}` : n < 0 ? `−${-n}` : "0");
const given = (box) => [...box.querySelectorAll("input[type=radio]:checked")].filter((input) => !Number.isNaN(Number(input.value)));
const marks = (box) => given(box).filter((input) => !input.closest("[data-uncounted]")).map((input) => Number(input.value));
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

function count(form) {
  const set = (name, text) => { for (const at of form.querySelectorAll(`[data-score-${name}]`)) at.textContent = text; };
  for (const block of form.querySelectorAll("[data-score-block]")) {
    const at = block.querySelector("[data-score-sum]");
    if (at) at.textContent = signed(sum(marks(block)));
  }
  const done = given(form).length, total = sum(marks(form));
  const asked = new Set([...form.querySelectorAll(".tri input[type=radio]")].map((input) => input.name)).size;
  const bounds = form.dataset.bounds.split(" ").map((text) => text.split(":"));
  const segment = done === asked ? bounds.find(([, low, high]) => total >= low && total <= high)?.[0] : null;
  set("total", done ? signed(total) : "—");
  set("left", done === asked ? "" : `${say("left")}: ${asked - done}`);
  for (const badge of form.querySelectorAll("[data-score-segment]")) {
    badge.className = `seg ${segment ?? "none"}`;
    badge.textContent = segment ? `${say("segment")} ${segment}` : say("unscored");
  }
  for (const dot of form.querySelectorAll("[data-score-dot]")) {
    const lows = bounds.map(([, low]) => Number(low)), highs = bounds.map(([, , high]) => Number(high));
    const share = (total - Math.min(...lows)) / (Math.max(...highs) - Math.min(...lows));
    const from = Number(dot.dataset.from), to = Number(dot.dataset.to);
    dot.setAttribute("cx", String(from + (to - from) * Math.max(0, Math.min(1, share))));
    dot.setAttribute("visibility", done ? "visible" : "hidden");
  }
}

document.addEventListener("change", (event) => {
  const form = event.target.closest?.("[data-score]");
  if (form) count(form);
});
const all = () => { for (const form of document.querySelectorAll("[data-score]")) count(form); };
document.addEventListener("htmx:after:swap", all);
all();
