// The process file with numbered lines: numbers follow the text, a fault's link leads to its line, Tab leaves the field as everywhere.
const text = document.getElementById("f-text");
const numbers = document.querySelector("[data-code] .numbers");

function count() {
  const lines = text.value.split("\n").length;
  if (text.rows === lines + 1) return;
  text.rows = lines + 1;
  numbers.textContent = Array.from({ length: lines }, (_, n) => n + 1).join("\n");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-line]");
  if (!link || !text) return;
  event.preventDefault();
  const line = Number(link.dataset.line), lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus({ preventScroll: true });
  text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  const box = text.closest("[data-code]");
  box.scrollTop = Math.max(0, (text.scrollHeight / text.rows) * (line - 4));
  box.scrollIntoView({ block: "nearest" });
});

text?.addEventListener("input", count);
