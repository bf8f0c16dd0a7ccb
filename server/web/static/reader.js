// For whoever hears the page, or uses it by keyboard: what changed is said, and the focus stays where it was.

const FOCUSABLE = "a[href], button, input, select, summary, textarea, [tabindex]";

// Says a sentence through a live region of the page, once.
export function announce(text, region = "[data-announce]") {
  const line = document.querySelector(region);
  if (line && line.textContent !== text) line.textContent = text;
}

// Shows other content in an element. Where the focus was in it, it goes to what is the same in the new content, else to
// the element.
export function replace(element, html) {
  const found = () => [...element.querySelectorAll(FOCUSABLE)];
  const place = found().indexOf(document.activeElement);
  const same = document.activeElement.outerHTML;
  element.innerHTML = html;
  if (place < 0) return;
  const now = found();
  focus([now[place], ...now].find((each) => each?.outerHTML === same) ?? element, { preventScroll: true });
}

export function focus(element, how) {
  if (!element.matches(FOCUSABLE)) element.tabIndex = -1;
  element.focus(how);
}
