// A text box with a list of suggestions, after the ARIA pattern "editable combobox with list".
//
// attachCombobox(input, { search, onChoose, onType }): `search(text)` promises options
// { value, label, detail }; choosing one writes its label into the input.
// replaceSelect(select, { search, onChoose }): the same in front of a select, which stays the
// control that is submitted.

const TYPING_PAUSE_MS = 120;
let boxCount = 0;

export function attachCombobox(input, { search, onChoose = () => {}, onType = () => {} }) {
  boxCount += 1;
  const list = buildList(input, `combobox-${boxCount}`);
  const status = buildStatus(input);
  const state = { options: [], active: -1, asked: 0, timer: 0 };

  function close() {
    // Whatever is still on its way comes too late to open the list again.
    state.asked += 1;
    clearTimeout(state.timer);
    list.hidden = true;
    state.active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function show(options) {
    state.options = options;
    list.replaceChildren(...options.map((option, index) => optionItem(list.id, option, index)));
    list.hidden = options.length === 0;
    input.setAttribute("aria-expanded", String(options.length > 0));
    status.textContent = spokenCount(options.length);
    setActive(-1);
  }

  function setActive(index) {
    state.active = index;
    [...list.children].forEach((item, place) =>
      item.setAttribute("aria-selected", String(place === index)),
    );
    const item = list.children[index];
    if (item) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function choose(index) {
    const option = state.options[index];
    input.value = option.label;
    close();
    onChoose(option);
  }

  async function ask(text) {
    state.asked += 1;
    const ticket = state.asked;
    const options = await search(text).catch(() => []);
    if (ticket === state.asked && document.activeElement === input) show(options);
  }

  function askSoon() {
    clearTimeout(state.timer);
    state.timer = setTimeout(() => ask(input.value), TYPING_PAUSE_MS);
  }

  function move(step) {
    if (list.hidden) return ask(input.value);
    const count = state.options.length;
    return setActive((state.active + step + count + (state.active < 0 && step < 0)) % count);
  }

  const keys = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => !list.hidden && state.active >= 0 && choose(state.active),
    Escape: () => !list.hidden && close(),
  };
  input.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (act && act() !== false) event.preventDefault();
  });
  input.addEventListener("input", () => {
    onType(input.value);
    askSoon();
  });
  input.addEventListener("blur", close);
  // Before the blur that the press causes, so that the list is still there.
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const item = event.target.closest("[role=option]");
    if (item) choose([...list.children].indexOf(item));
  });
  return { close };
}

export function replaceSelect(select, { search, onChoose = () => {} }) {
  const input = inputFor(select);
  let chosenLabel = input.value;
  attachCombobox(input, {
    search,
    onChoose(option) {
      choose(option.value, option.label);
      onChoose(option);
    },
  });
  function choose(value, label) {
    chosenLabel = label;
    select.value = value;
  }
  input.addEventListener("focus", () => input.select());
  // A text that names no option is no choice: go back to the last one, or to none when emptied.
  input.addEventListener("blur", () => {
    const typed = input.value.trim().toLowerCase();
    const option = [...select.options].find((each) => each.text.toLowerCase() === typed);
    if (option && option.value !== select.value) {
      choose(option.value, option.text);
      onChoose({ value: option.value, label: option.text });
    }
    if (!typed) {
      choose("", "");
      onChoose({ value: "", label: "" });
    }
    input.value = chosenLabel;
  });
  return input;
}

function inputFor(select) {
  const input = document.createElement("input");
  const chosen = select.selectedOptions[0];
  input.type = "text";
  input.id = `${select.id}-search`;
  input.value = select.value ? chosen.text : "";
  input.placeholder = select.options[0]?.text ?? "";
  input.autocomplete = "off";
  input.spellcheck = false;
  for (const name of ["aria-describedby", "aria-invalid"]) {
    if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
  }
  input.required = select.required;
  select.required = false;
  select.hidden = true;
  for (const label of [...select.labels]) label.htmlFor = input.id;
  select.before(input);
  return input;
}

function buildList(input, id) {
  const list = document.createElement("ul");
  list.id = id;
  list.className = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  list.hidden = true;
  input.after(list);
  const roles = {
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": id,
  };
  Object.entries(roles).forEach(([name, value]) => input.setAttribute(name, value));
  return list;
}

function buildStatus(input) {
  const status = document.createElement("span");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  input.after(status);
  return status;
}

function optionItem(listId, option, index) {
  const item = document.createElement("li");
  item.id = `${listId}-${index}`;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  const label = document.createElement("span");
  label.textContent = option.label;
  const detail = document.createElement("small");
  detail.textContent = option.detail ?? "";
  item.append(label, " ", detail);
  return item;
}

function spokenCount(count) {
  if (count === 0) return "No match in the table";
  return count === 1 ? "1 match" : `${count} matches`;
}
