// What every page can do: copy a text, close the account menu, scroll wide boxes by keyboard.

const COPIED_SHOWN_MS = 2000;

async function copyText(button) {
  const source = document.querySelector(button.dataset.copy);
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
    button.textContent = "Copied";
  } catch {
    // Plain http on a foreign host has no clipboard: mark the text, so that Ctrl-C does it.
    getSelection().selectAllChildren(source);
    button.textContent = "Press Ctrl-C";
  }
  setTimeout(() => {
    button.textContent = label;
  }, COPIED_SHOWN_MS);
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) {
      menu.open = false;
    }
  }
}

// A box that scrolls sideways takes the focus, so that the arrow keys reach its far end.
const wideBoxes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const box of document.querySelectorAll(".table-scroll, pre, .formula")) wideBoxes.observe(box);

document.addEventListener("click", (event) => {
  closeMenus(event.target.closest("details.menu"));
  const button = event.target.closest("button[data-copy]");
  if (button) {
    copyText(button);
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (event.key === "Escape" && menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
