// Asks whether the host has let this player in. Each question is held until that is so, or for a while.

const HELD = 30; // seconds
const PAUSE = 2000; // ms between questions, and while the server is away

async function waits() {
  const response = await fetch(new URL(`../api/v1/me?wait=${HELD}`, import.meta.url), { headers: { Accept: "application/json" } });
  if (response.status >= 500) return true;
  return response.ok && (await response.json()).player?.pending === true;
}

async function ask() {
  if (await waits().catch(() => true)) setTimeout(ask, PAUSE);
  else window.location.assign(new URL("../play", import.meta.url)); // which says, too, why somebody is not let in
}

ask();
