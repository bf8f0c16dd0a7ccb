// What the host's pages of players need a script for: the names of a file, and printing. Without it they are not offered.

for (const input of document.querySelectorAll("input[type=file][data-into]")) {
  input.parentElement.hidden = false;
  input.addEventListener("change", () => take(input));
  take(input); // it may have been chosen before this script came
}

async function take(input) {
  const [file] = input.files;
  if (file) document.getElementById(input.dataset.into).value = textOf(await file.arrayBuffer());
}

// As the server reads a file that a program sends: UTF-8, UTF-16 where its first bytes say so, else what Windows writes.
function textOf(buffer) {
  const [first, second] = new Uint8Array(buffer);
  const wide = { 0xfffe: "utf-16le", 0xfeff: "utf-16be" }[(first << 8) | second];
  if (wide) return new TextDecoder(wide).decode(buffer);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(buffer);
  } catch {
    return new TextDecoder("windows-1252").decode(buffer);
  }
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.parentElement.hidden = false;
  button.addEventListener("click", () => window.print());
}
