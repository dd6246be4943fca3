// Blocking, before the first paint: applies the theme that was chosen on this device (auto, light or dark).
(() => {
  const root = document.documentElement, order = ["auto", "light", "dark"];
  let theme = "auto";
  try { theme = localStorage.getItem("theme") || "auto"; } catch { /* storage is off: the system's theme is used */ }
  const show = () => {
    root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      for (const part of button.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== theme;
    }
  };
  show();
  addEventListener("DOMContentLoaded", show);
  addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    theme = order[(order.indexOf(theme) + 1) % order.length];
    try { localStorage.setItem("theme", theme); } catch { /* only this page changes */ }
    show();
  });
})();
