import { openPalette } from "./search.js";

// Keys by their place on the keyboard (event.code), so that they also work in the Russian layout; never while typing.
//   Ctrl-K or /  search · ?  help · J K  through [data-row] · any [data-key="KeyN"] is pressed by its key

const visible = (element) => element.getClientRects().length > 0;

function move(step) {
  const rows = [...document.querySelectorAll("[data-row]")].filter(visible);
  if (!rows.length) return document.querySelector(`[data-key="${step > 0 ? "KeyJ" : "KeyK"}"]`)?.click();
  const at = rows.findIndex((row) => row.classList.contains("here"));
  const next = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))];
  rows[at]?.classList.remove("here");
  next.classList.add("here");
  (next.matches("a") ? next : next.querySelector("a"))?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox],[type=radio],[type=range]),textarea,select,[contenteditable]");
  if ((event.ctrlKey || event.metaKey) && event.code === "KeyK") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.code === "Escape" && typing?.name === "q") typing.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "?" || (event.code === "Slash" && event.shiftKey)) document.getElementById("help")?.showModal();
  else if (event.code === "Slash") openPalette();
  else if (event.shiftKey) return;
  else if (event.code === "KeyJ") move(1);
  else if (event.code === "KeyK") move(-1);
  else {
    const target = document.querySelector(`[data-key="${CSS.escape(event.code)}"]`);
    if (!target) return;
    target.click();
  }
  event.preventDefault();
});
