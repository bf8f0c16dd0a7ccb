// Looks again, as the link of a page does, until what was asked for is there. The server holds each look for a while.

const PAUSE = 1000; // ms between looks, and while the server is away

const link = document.querySelector("[data-again] a");

async function look() {
  const answer = await fetch(link.href);
  if (answer.status >= 500) return false;
  if (!answer.ok) {
    window.location.assign(link.href); // which says why
    return true;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (page.querySelector("[data-again]")) return false;
  const section = link.closest("section");
  section.replaceWith(page.getElementById(section.id));
  return true;
}

async function ask() {
  if (!(await look().catch(() => false))) setTimeout(ask, PAUSE);
}

if (link) ask();
