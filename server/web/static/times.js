// Shows the moments of a page in the reader's own time: <time datetime="2026-01-31T12:00:00+00:00">.

import { announce } from "./reader.js";

const chosen = document.documentElement.lang; // English is written as the reader's country writes it
const language = navigator.languages.find((each) => each.startsWith(chosen)) ?? chosen;
const today = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const other = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

export function localTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    element.title = element.dateTime;
    element.textContent = (at.toDateString() === new Date().toDateString() ? today : other).format(at);
  }
}

// <span role="timer" data-left="seconds" data-words="{} left" data-soon="sentence"> counts down from when it came, whatever
// the reader's clock says; the sentence is said once, when little is left.
const WARN = 60; // seconds before the end from which it is told
const HOUR = 3600; // what is further away does not tick

export function countDown() {
  for (const element of document.querySelectorAll("[data-left]")) {
    element.until ??= performance.now() + 1000 * Number(element.dataset.left);
    const left = Math.max(0, Math.round((element.until - performance.now()) / 1000));
    if (left > HOUR) continue;
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    element.textContent = element.dataset.words.replace("{}", time);
    if (left <= WARN && !element.classList.contains("soon")) {
      element.classList.add("soon");
      announce(element.dataset.soon);
    }
  }
}

localTimes(document);
countDown();
setInterval(countDown, 1000);
