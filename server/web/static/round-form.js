// The form of a round: times by the reader's clock, and only the fields that the chosen game needs. Without this script times
// are in UTC, and every field is there.

const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;

// What the server wrote is in UTC; what was typed in another zone and refused stays as it was typed.
function toOwnZone(form) {
  const zone = form.elements.zone;
  if (!own || zone?.value !== "UTC") return;
  for (const field of form.querySelectorAll("input[type=datetime-local]")) {
    if (field.value) field.value = local(new Date(`${field.value}Z`));
  }
  zone.value = own;
  for (const name of form.querySelectorAll("[data-zone]")) name.textContent = own;
}

function local(at) {
  const two = (number) => String(number).padStart(2, "0");
  const day = `${String(at.getFullYear()).padStart(4, "0")}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

// <div data-needs="passages | seats | judges">: how many a game must have of them for the field to be of use.
const LEAST = { passages: 1, seats: 2, judges: 2 };

function showNeeded(form) {
  const game = form.elements.game?.selectedOptions[0]?.dataset;
  if (!game?.passages) return;
  for (const field of form.querySelectorAll("[data-needs]")) {
    const needs = field.dataset.needs;
    field.hidden = Number(game[needs]) < LEAST[needs];
  }
}

// What the judge makes of the passages, while they are typed. It is only a help: where it cannot be had, nothing is shown.
const TYPING = 300; // ms without a key before the passages are looked at

async function look(form) {
  const line = form.querySelector("[data-look]");
  const { value } = form.elements.passages;
  const text = value.trim() && (await fetched(line.dataset.look, { method: "POST", body: new URLSearchParams(new FormData(form)) }));
  if (form.elements.passages.value === value) line.innerHTML = text;
}

// The text of an answer, "" where there is none.
async function fetched(address, how = {}) {
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" }, ...how });
    return response.ok ? await response.text() : "";
  } catch {
    return "";
  }
}

// A packaged passage that is chosen is put behind those that are there, or in the place of the only one.
async function add(form) {
  const { library, passages } = form.elements;
  const text = library.value && (await fetched(`${library.dataset.library}/${library.value}`));
  if (!text) return;
  const several = Number(form.elements.game.selectedOptions[0].dataset.passages) > 1;
  passages.value = several && passages.value.trim() ? `${passages.value.trimEnd()}\n---\n${text}` : text;
  library.value = "";
  look(form);
}

async function offer(form) {
  const { library, judge } = form.elements;
  const options = await fetched(`${library.dataset.library}?judge=${encodeURIComponent(judge.value)}`);
  if (options) library.innerHTML = options;
}

document.addEventListener("renewed", ({ target }) => target.querySelectorAll("form[data-round-form]").forEach(toOwnZone));

for (const form of document.querySelectorAll("form[data-round-form]")) {
  toOwnZone(form);
  const { game, judge, passages, library } = form.elements;
  if (!library) continue;
  showNeeded(form);
  let typing = null;
  passages.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(look, TYPING, form);
  });
  game.addEventListener("change", () => showNeeded(form));
  judge.addEventListener("change", () => offer(form));
  library.addEventListener("change", () => add(form));
  for (const field of [game, judge]) field.addEventListener("change", () => look(form));
  // What was typed or chosen before this script was there, or brought back by the browser.
  if (library.value) add(form);
  else if (passages.value.trim()) look(form);
}
