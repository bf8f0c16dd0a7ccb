// For whoever hears the page, or uses it by keyboard: what changed is said, and the focus stays where it was.

const FOCUSABLE = "a[href], button, input, select, summary, textarea, [tabindex]";

// Says a sentence through a live region of the page, once.
export function announce(text, region = "[data-announce]") {
  const line = document.querySelector(region);
  if (line && line.textContent !== text) line.textContent = text;
}

// Has somebody begun with a form in an element, or taken hold of a line?
export function begun(element) {
  if (element.querySelector("[data-dragged]")) return true;
  const fields = [...element.querySelectorAll("input, select, textarea")].filter((field) => field.type !== "hidden");
  return fields.some((field) => (field.matches(":focus") && field.type !== "checkbox") || changed(field));
}

function changed(field) {
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
  const options = [...field.options];
  return field.selectedOptions[0] !== (options.find((option) => option.defaultSelected) ?? options[0]);
}

// What can be opened, by what it is called within whatever has an id in the element.
function opening(element) {
  const found = new Map();
  for (const each of element.querySelectorAll("details")) {
    const owner = each.closest("[id]");
    const within = owner !== element && element.contains(owner);
    if (within) found.set(`${owner.id} ${each.querySelector("summary").textContent}`, each);
  }
  return found;
}

// Shows other content in an element. What somebody has opened there stays open. Where the focus was in it, it goes to
// what is the same in the new content, else to the element.
export function replace(element, html) {
  const found = () => [...element.querySelectorAll(FOCUSABLE)];
  const place = found().indexOf(document.activeElement);
  const same = document.activeElement.outerHTML;
  const before = opening(element);
  element.innerHTML = html;
  for (const [name, each] of opening(element)) if (before.has(name)) each.open = before.get(name).open;
  if (place < 0) return;
  const now = found();
  focus([now[place], ...now].find((each) => each?.outerHTML === same) ?? element, { preventScroll: true });
}

// Like replace; what somebody has entered there stays.
export function renew(element, html) {
  const fields = () => [...element.querySelectorAll("input[id]:not([type=file], [type=hidden]), select[id], textarea[id]")];
  const entered = fields().filter(changed);
  replace(element, html);
  for (const now of fields()) {
    const before = entered.find((field) => field.id === now.id && field.type === now.type);
    if (!before) continue;
    const option = [...(now.options ?? [])].find((each) => each.value === before.value);
    if (option) option.selected = true;
    else if (!now.options) [now.value, now.checked] = [before.value, before.checked];
  }
}

export function focus(element, how) {
  if (!element.matches(FOCUSABLE)) element.tabIndex = -1;
  element.focus(how);
}
