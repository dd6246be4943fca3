// Dialogs (data-dialog="id", or the page's #id), and menus made of <details class="menu">.

function openDialog(dialog) {
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
  dialog.showModal();
  (dialog.querySelector("[aria-invalid=true],[autofocus]") ?? dialog.querySelector(".body :is(input:not([type=hidden]),select,textarea,button,a)"))?.focus();
}

function byHash() {
  if (location.hash.length > 1) openDialog(document.getElementById(decodeURIComponent(location.hash.slice(1))));
}

const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(except)) menu.open = false;
};

document.addEventListener("click", (event) => {
  const at = event.target;
  closeMenus(at.closest?.(".menu-list :is(a,button)") ? null : at);
  const opener = at.closest?.("[data-dialog]");
  if (opener) {
    event.preventDefault();
    openDialog(document.getElementById(opener.dataset.dialog));
  }
  if (at.closest?.("[data-close]")) at.closest("dialog").close();
  // a click on the backdrop closes, unless something was typed
  if (at instanceof HTMLDialogElement && at.open && !at.querySelector("form[data-dirty]")) {
    const box = at.getBoundingClientRect();
    if (event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom) at.close();
  }
});

// A dialog opened by the address leaves it when closed, so that "back" and a reload do not open it again.
document.addEventListener("close", (event) => {
  if (location.hash === `#${event.target.id}`) history.replaceState(history.state, "", location.pathname + location.search);
}, true);

addEventListener("hashchange", byHash);
byHash();
// A refused form comes back inside its dialog: show it at once.
openDialog(document.querySelector("dialog[data-open]"));

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.menu");
  if (!menu) return;
  const items = [...menu.querySelectorAll(".menu-list :is(a,button):not(:disabled)")];
  const at = items.indexOf(document.activeElement);
  const go = { ArrowDown: at + 1, ArrowUp: at < 0 ? items.length - 1 : at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (event.key === "Escape" && menu.open) {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
  } else if (go !== undefined && (menu.open || event.key.startsWith("Arrow"))) {
    menu.open = true;
    items[(go + items.length) % items.length]?.focus();
    event.preventDefault();
  }
});

document.addEventListener("focusout", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});
