// Rounds put in order by dragging, with a mouse, a pen or a finger. The buttons under "More" do the same without.

import { refresh } from "./live.js";

const EDGE = 70; // px from the top and the bottom of the window within which a drag scrolls
const STEP = 14; // px that it scrolls at a time

let drag = null; // { line, from: where it was taken, before: the line that it would come before, or null for the end }

for (const part of document.querySelectorAll("[data-sortable]")) part.dataset.sortable = "on"; // now the handles are seen

document.addEventListener("pointerdown", (event) => {
  const line = event.button === 0 && event.target.closest("[data-handle]")?.closest("[data-order]");
  if (!line || drag) return;
  event.preventDefault(); // no text is selected
  drag = { line, from: event.pageY, before: line.nextElementSibling };
  line.dataset.dragged = "";
});

document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const { line, from } = drag;
  line.style.transform = `translateY(${event.pageY - from}px)`;
  const others = [...line.parentElement.children].filter((each) => each !== line);
  drag.before = others.find((each) => event.clientY < middle(each)) ?? null;
  mark(others);
  if (event.clientY < EDGE) scrollBy(0, -STEP);
  else if (event.clientY > innerHeight - EDGE) scrollBy(0, STEP);
});

document.addEventListener("pointerup", async () => {
  if (!drag) return;
  const { line, before } = drag;
  const number = numberBefore(line, before);
  end();
  if (number === line.dataset.number) return;
  await fetch(line.dataset.order, { method: "POST", body: new URLSearchParams({ number }) }).catch(() => null);
  refresh("round.changed"); // what the server says of it
});

document.addEventListener("pointercancel", end);
document.addEventListener("keydown", (event) => event.key === "Escape" && end());

function middle(line) {
  const { top, height } = line.getBoundingClientRect();
  return top + height / 2;
}

function mark(others) {
  for (const each of others) {
    each.toggleAttribute("data-drop-before", each === drag.before);
    each.toggleAttribute("data-drop-after", !drag.before && each === others.at(-1));
  }
}

// The number of the place at which the line is let go: of the round that stands there now.
function numberBefore(line, before) {
  const lines = [...line.parentElement.children];
  const others = lines.filter((each) => each !== line);
  const place = before ? others.indexOf(before) : others.length;
  return lines[place].dataset.number;
}

function end() {
  if (!drag) return;
  const { line } = drag;
  drag = null;
  line.style.transform = "";
  delete line.dataset.dragged;
  for (const each of line.parentElement?.children ?? []) {
    each.removeAttribute("data-drop-before");
    each.removeAttribute("data-drop-after");
  }
}
