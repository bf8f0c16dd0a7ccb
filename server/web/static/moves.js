// Sends the form of a move, and follows the submission until it is scored. Without this script the form works too.
// What is typed is kept in this tab until it is sent, and the reader's other tabs hear when something was.
// <form data-move> sends its fields to its own address; <section data-panel data-follow="id"> shows a submission.

import { announce, focus, replace } from "./reader.js";
import { localTimes } from "./times.js";
import { refresh } from "./live.js";

const HOLD = 3; // seconds that the server may hold an answer back; then the place in the queue is shown anew
const TYPING = 250; // ms without a key before the words are looked at
const PAUSE = 1500; // ms before asking again when the server could not be reached

const others = "BroadcastChannel" in window ? new BroadcastChannel("xentarena") : null;
const { title } = document;
const panel = document.querySelector("[data-panel]");
const said = document.querySelector("[data-announce]");
let followed = null;

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-move]");
  if (!form) return;
  event.preventDefault();
  send(form);
});

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form[data-move]");
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-move]");
  if (!form) return;
  keep(form);
  clearTimeout(form.previewing);
  form.previewing = setTimeout(preview, TYPING, form);
});

document.addEventListener("change", (event) => {
  if ("numbers" in event.target.dataset) panel.classList.toggle("with-numbers", event.target.checked);
});

// What the rules say of the words while they are typed. It is only a help: where it cannot be had, nothing is shown.
async function preview(form) {
  const line = form.querySelector("[data-preview]");
  const move = form.elements.move.value;
  if (!line) return;
  if (!move.trim()) return line.replaceChildren();
  try {
    const response = await fetch(line.dataset.preview, {
      method: "POST",
      body: fields(form, "submission", line.dataset.submissionId ?? ""),
      headers: { Accept: "text/html" },
    });
    const text = response.ok ? await response.text() : "";
    if (form.elements.move.value === move) line.innerHTML = text;
  } catch {
    line.replaceChildren();
  }
}

async function send(form) {
  if (form.sending) return;
  const move = form.elements.move.value;
  if (form.keyFor !== move) Object.assign(form, { keyFor: move, key: newKey() });
  form.sending = true;
  form.querySelector("button").setAttribute("aria-disabled", "true");
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: fields(form, "key", form.key),
    });
    const answer = await response.json();
    if (response.status < 500) form.keyFor = null; // this move is answered; the same words again are another move
    if (response.ok) {
      complain(form, "");
      storage((kept) => kept.removeItem(draftOf(form)));
      others?.postMessage("own");
      await follow(answer.id);
    } else {
      complain(form, words(answer));
    }
  } catch {
    complain(form, form.dataset.unreachable);
  } finally {
    form.sending = false;
    form.querySelector("button").removeAttribute("aria-disabled");
  }
}

const fields = (form, name, value) => new URLSearchParams([...new FormData(form), [name, value]]);

const draftOf = (form) => `draft ${form.action}`;

const keep = (form) => storage((kept) => kept.setItem(draftOf(form), form.elements.move.value));

// A browser may refuse to keep anything: then nothing is kept.
function storage(use) {
  try {
    return use(window.sessionStorage);
  } catch {
    return null;
  }
}

// What was kept comes back. Words may be there already: typed before this script was, or brought back by the browser.
function restore(root) {
  for (const form of root.querySelectorAll("form[data-move]")) {
    const field = form.elements.move;
    field.value ||= storage((kept) => kept.getItem(draftOf(form))) ?? "";
    if (!field.value) continue;
    keep(form);
    preview(form);
  }
}

// A round that ends takes no more moves, one that is opened again no more practice; what was typed stays to be read.
// A score has its picture from then on.
document.addEventListener("round-state", ({ detail: state }) => {
  const open = state === "open" || state === "paused";
  for (const form of document.querySelectorAll("form[data-move]")) {
    const over = open === (form.elements.practice !== undefined);
    form.elements.move.readOnly = over;
    form.querySelector("button").disabled = over;
    complain(form, over ? form.dataset.over : "");
  }
  const settled = panel?.querySelector("[data-settled]");
  if (settled) follow(settled.dataset.submission);
});

// Words for a text that is another one now are not sent.
document.addEventListener("round-edited", () => {
  for (const form of document.querySelectorAll("form[data-move]")) {
    form.querySelector("button").disabled = true;
    complain(form, form.dataset.edited);
  }
});

if (others) others.onmessage = () => refresh("own");

function words(problem) {
  const details = (problem.errors ?? []).map((each) => each.detail);
  return details.length ? details.join(" ") : problem.detail;
}

function complain(form, text) {
  form.querySelector("[data-error]").textContent = text;
  form.elements.move.setAttribute("aria-invalid", String(text !== ""));
  if (text) form.elements.move.focus();
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is there only under https
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Resolves when the submission is on the page for the first time, and goes on showing it until it is settled.
async function follow(id) {
  followed = id;
  const settled = await show(id, 0);
  bring();
  refresh("own");
  if (!settled) watch(id);
}

async function watch(id) {
  while (followed === id && !(await show(id, HOLD)));
  refresh("own");
}

// Resolves to whether there is nothing left to wait for. While it is one's turn in a play with others they may still
// leave: then what is shown is kept, with what was typed into it, until the state is another one.
async function show(id, wait) {
  const shown = panel.querySelector(`[data-submission="${id}"]`)?.dataset;
  const known = wait && shown && "several" in shown && shown.state === "awaiting_move" ? "awaiting_move" : null;
  let response = null;
  try {
    const path = `../submissions/${id}/panel?wait=${wait}${known ? `&known=${known}` : ""}`;
    const address = new URL(path, import.meta.url);
    response = await fetch(address, { headers: { Accept: "text/html" } });
  } catch {
    // told below
  }
  if (followed !== id) return true;
  if (!response?.ok) {
    announce(said.dataset.unreachable);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    return response !== null && response.status < 500;
  }
  const text = await response.text();
  if (known && text.includes(`data-state="${known}"`)) return false;
  const open = [...panel.querySelectorAll("details[open]")].map(nameOf);
  replace(panel, text);
  panel.querySelectorAll("details").forEach((each) => (each.open = open.includes(nameOf(each))));
  panel.querySelectorAll("[data-numbers]").forEach((box) => (box.checked = panel.classList.contains("with-numbers")));
  localTimes(panel);
  restore(panel);
  toNextMove();
  const submission = panel.querySelector("[data-submission]");
  announce(submission.dataset.says);
  const turn = "several" in submission.dataset && submission.dataset.state === "awaiting_move";
  document.title = (turn ? `${said.dataset.yourTurn} · ` : "") + title;
  return "settled" in submission.dataset && !("several" in submission.dataset && submission.dataset.state === "awaiting_move");
}

// What a box is called among those of its kind.
function nameOf(box) {
  return `${box.className} ${[...panel.getElementsByClassName(box.className)].indexOf(box)}`;
}

// The score comes to the reader's eye, unless it is there already. On a small screen the form covers what is below it.
function bring() {
  const line = panel.querySelector("#latest");
  const form = document.querySelector("form[data-move]");
  const { top, bottom } = line.getBoundingClientRect();
  const box = form?.getBoundingClientRect();
  const end = box && box.bottom >= window.innerHeight ? box.top : window.innerHeight;
  if (top < 0 || bottom > end) line.scrollIntoView({ block: "start" });
}

// Whoever wrote a move goes on with the next one, where there is one: its form stands in the place of the one just sent.
function toNextMove() {
  const at = document.activeElement;
  const field = panel.querySelector("textarea");
  if (!at.checkVisibility() || (at === panel && field)) focus(field ?? panel);
}

// What is shown once is closed from then on, where the browser may keep that.
for (const box of document.querySelectorAll("details[data-seen]")) {
  const name = `seen ${box.dataset.seen}`;
  if (storage(() => window.localStorage.getItem(name))) box.open = false;
  box.addEventListener("toggle", ({ target }) => {
    if (target === box && !box.open) storage(() => window.localStorage.setItem(name, "yes"));
  });
}

restore(document);

if (panel?.dataset.follow) {
  followed = panel.dataset.follow;
  watch(followed);
}
