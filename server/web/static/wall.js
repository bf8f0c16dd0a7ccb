// The wall, as a class sees it on a projector: full screen, names or none, how places change, and a reveal step by step.

import { refresh } from "./live.js";
import { announce } from "./reader.js";

const ON = [" ", "ArrowRight", "ArrowDown", "PageDown", "Enter"]; // PageDown and PageUp: what presenters send
const BACK = ["ArrowLeft", "ArrowUp", "PageUp"];
const OWN = "a, button, input, summary, details"; // what a click or a key means something to already
const MOVING = 700; // ms

const still = matchMedia("(prefers-reduced-motion: reduce)");

// A reveal: one step is seen at a time. Which one is kept while the part comes anew, and while the page does.

function reveal() {
  return document.querySelector("[data-steps]");
}

function kept(round) {
  return Number(sessionStorage.getItem(`step ${round}`) ?? 0);
}

function show() {
  const at = reveal();
  if (!at) return null;
  const steps = [...at.querySelectorAll("[data-step]")];
  const now = Math.min(kept(at.dataset.steps), steps.length - 1);
  for (const [i, step] of steps.entries()) step.hidden = i !== now;
  at.querySelector(".steering").hidden = false; // nobody turns before there is a script
  at.querySelector("[data-turned]").textContent = now ? `${now} / ${steps.length - 1}` : "";
  for (const button of at.querySelectorAll("[data-turn]")) {
    const there = now + Number(button.dataset.turn);
    button.setAttribute("aria-disabled", there < 0 || there >= steps.length);
  }
  return { round: at.dataset.steps, now, steps };
}

function turn(by) {
  const shown = show();
  const next = shown && shown.now + by;
  if (!shown || next < 0 || next >= shown.steps.length) return;
  sessionStorage.setItem(`step ${shown.round}`, next);
  show();
  announce(shown.steps[next].dataset.says ?? shown.steps[next].innerText);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-turn]");
  if (button) turn(Number(button.dataset.turn));
  else if (event.detail && event.target.closest("button")) document.activeElement.blur(); // the space bar goes on, then
  else if (reveal()?.contains(event.target) && !event.target.closest(OWN)) turn(1);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !reveal()) return;
  const by = ON.includes(event.key) ? 1 : BACK.includes(event.key) ? -1 : 0;
  const pressed = [" ", "Enter"].includes(event.key) && event.target.closest(OWN);
  const reads = event.key.startsWith("Arrow") && event.target.closest(".scroll");
  if (!by || pressed || reads) return;
  event.preventDefault();
  turn(by);
});

// Places: whoever has another one is seen to move there.

let places = new Map();

function moved() {
  const now = new Map();
  for (const line of document.querySelectorAll("[data-player]")) {
    const { left, top } = line.getBoundingClientRect();
    now.set(line.dataset.player, top);
    const before = places.get(line.dataset.player);
    if (before === undefined || before === top || still.matches || left > innerWidth) continue;
    const from = { transform: `translateY(${before - top}px)` };
    line.animate([from, { transform: "none" }], { duration: MOVING, easing: "ease-in-out" });
  }
  places = now;
}

document.addEventListener("renewed", () => {
  show();
  moved();
});
addEventListener("resize", () => (places = new Map()));

// Names: asked for without leaving the page, which would end the full screen.

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-names]");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("button");
  const hide = button.value === "hidden";
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams({ names: button.value }) });
  if (!answer.ok) return;
  button.value = hide ? "shown" : "hidden";
  button.setAttribute("aria-pressed", hide);
  refresh(null);
});

const full = document.querySelector("[data-fullscreen]");
full.hidden = !document.fullscreenEnabled;
full.addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
});
document.addEventListener("fullscreenchange", () => full.setAttribute("aria-pressed", document.fullscreenElement !== null));

show();
moved();
