// Shows the moments of a page in the reader's own time: <time datetime="2026-01-31T12:00:00+00:00">.

const today = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const other = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function localTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    element.title = element.dateTime;
    element.textContent = (at.toDateString() === new Date().toDateString() ? today : other).format(at);
  }
}

localTimes(document);
