// Keeps parts of the page as they are on the server. A part is <div data-part="/address" data-on="kinds of events">;
// it is fetched anew when such an event comes through the competition's stream, and every few seconds while the stream
// is away. data-reload: load the whole page when the part's data-state or data-revision changed; where somebody is typing,
// tell the form. data-watch: much happens there that is in no feed, so it is looked at all the time, and left as it is while
// somebody is at a form in it. data-awaits: it is looked at, ever more seldom, until nothing in it is awaited. An event
// "renewed" comes from a part that has other content.

import { announce, begun, renew } from "./reader.js";
import { countDown, localTimes } from "./times.js";

const KINDS = [
  "announcement.made", "announcement.withdrawn", "board.frozen", "board.thawed", "challenges.changed",
  "competition.changed", "player.deleted", "player.joined", "player.removed", "player.renamed", "reset", "round.changed",
  "round.closed", "round.concealed", "round.opened", "round.paused", "round.revealed", "second_judge.changed",
  "standing.changed", "teams.changed", "waiting.changed",
];
const SPREAD = 600; // ms over which the readers of a board spread their requests,
const MORE = 20; // and ms more for each of its lines: a long board has many readers
const POLL = 5000; // ms between looks while the stream is away
const AGAIN = 3000; // ms before a stream that was refused is tried again
const WATCH = 2000; // ms between looks at what is in no feed
const FIRST = 500; // ms before what is awaited is looked for
const HIDDEN = 60000; // ms after which a page that nobody sees lets go of its stream

const due = new Map();
let heard = 0; // how often something was heard that parts are fetched for
let source = null;
let polling = null;
let hiding = null;

// "reset": the server does not tell all that happened since we last heard, so everything is looked at again.
export function refresh(kind) {
  heard += 1;
  for (const part of document.querySelectorAll("[data-part]")) {
    const everything = kind === null || kind === "reset";
    if (everything || part.dataset.on.split(" ").includes(kind)) schedule(part, kind === "own");
  }
}

function schedule(part, atOnce = false) {
  if (due.has(part)) return;
  const spread = SPREAD + MORE * part.querySelectorAll("tr").length;
  due.set(part, setTimeout(load, atOnce ? 0 : Math.random() * spread, part));
}

async function load(part) {
  due.delete(part);
  if (!part.dataset.part) return; // nothing more is awaited there
  const number = (part.loads = (part.loads ?? 0) + 1);
  const known = heard;
  let response;
  try {
    const stamp = part.stamp ? { "If-None-Match": part.stamp } : {};
    response = await fetch(part.dataset.part, { headers: { Accept: "text/html", ...stamp } });
  } catch {
    return; // the next look will find it
  }
  if ([401, 403, 404].includes(response.status)) window.location.reload(); // it says why, in words
  if (!response.ok) return;
  const text = await response.text();
  if (number !== part.loads || text === part.came || ("watch" in part.dataset && begun(part))) return;
  [part.came, part.stamp] = [text, response.headers.get("ETag")];
  const [before, edition, rank, news] = [stateOf(part), revisionOf(part), rankIn(part), newsIn(part)];
  renew(part, text);
  // The parts in it came with it, so they may be older than what was heard meanwhile.
  if (heard > known) for (const inner of part.querySelectorAll("[data-part]")) schedule(inner);
  localTimes(part);
  countDown();
  place(part, rank);
  if (newsIn(part) > news) announce(part.querySelector("[data-news]").dataset.says, "[data-announce-news]");
  part.dispatchEvent(new Event("renewed", { bubbles: true }));
  const edited = revisionOf(part) !== edition;
  if (!("reload" in part.dataset) || (stateOf(part) === before && !edited)) return;
  if (typing() && edited) document.dispatchEvent(new CustomEvent("round-edited"));
  else if (typing()) document.dispatchEvent(new CustomEvent("round-state", { detail: stateOf(part) }));
  else window.location.reload();
}

// The board says where its reader stands; the head of the page repeats it, and a rank that is another one is announced.
function place(part, rank) {
  const found = part.querySelector("[data-place]");
  const line = document.querySelector("[data-placed]");
  if (found && line) line.textContent = found.dataset.place;
  if (found && rankIn(part) !== rank) announce(found.dataset.place, "[data-announce-place]");
}

function stateOf(part) {
  return part.querySelector("[data-state]")?.dataset.state;
}

function revisionOf(part) {
  return part.querySelector("[data-revision]")?.dataset.revision;
}

function rankIn(part) {
  return part.querySelector(".own .rank")?.textContent;
}

// The number of the newest announcement; one that was taken back makes none.
function newsIn(part) {
  return Number(part.querySelector("[data-news]")?.dataset.news ?? 0);
}

function typing() {
  return [...document.querySelectorAll("textarea")].some((field) => field.value.trim() !== "");
}

function say(state) {
  for (const element of document.querySelectorAll("[data-connection]")) {
    if (element.dataset.connection === state) continue;
    element.dataset.connection = state;
    element.textContent = element.dataset[state];
  }
}

function connect() {
  disconnect();
  source = new EventSource(document.body.dataset.events);
  const mine = source;
  source.onopen = () => {
    clearInterval(polling);
    polling = null;
    say("live");
    refresh(null); // what happened since the page was made, or while the stream was away
  };
  source.onerror = () => {
    say("away");
    polling ??= setInterval(refresh, POLL, null);
    // A browser gives up on a stream that was refused; one that broke off it opens again by itself.
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => mine === source && connect(), AGAIN);
  };
  for (const kind of KINDS) source.addEventListener(kind, () => refresh(kind));
  source.addEventListener("round.opened", ({ data }) => tellOfRound(JSON.parse(data).data.round));
}

function tellOfRound(id) {
  const notice = document.querySelector("[data-new-round]");
  const address = new URL(`../rounds/${id}`, import.meta.url);
  if (!notice || !id || window.location.pathname === address.pathname) return;
  notice.querySelector("a").href = address;
  notice.hidden = false;
}

function disconnect() {
  source?.close();
  source = null;
}

setInterval(() => {
  if (document.hidden) return;
  for (const part of document.querySelectorAll("[data-watch]")) if (!due.has(part)) load(part);
}, WATCH);

function lookFor(part, pause) {
  setTimeout(async () => {
    await load(part);
    if (part.querySelector(".awaited")) lookFor(part, 2 * pause);
    else delete part.dataset.part;
  }, pause);
}

for (const part of document.querySelectorAll("[data-awaits]")) lookFor(part, FIRST);

// What happens behind frozen boards is in no feed: a host, who sees it all the same, looks for it.
setInterval(() => document.querySelector("[data-unheard]") && refresh("standing.changed"), POLL);

if (document.body.dataset.events) {
  say("connecting");
  connect();
  window.addEventListener("online", connect);
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", (event) => event.persisted && connect());
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(disconnect, HIDDEN);
    else if (source === null) connect();
  });
}
