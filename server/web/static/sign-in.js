// A link to /sign-in#KEY signs in by itself. What stands behind # is never sent with the address, and is taken out of
// the address bar and the history at once.

function signIn() {
  const key = decoded(window.location.hash.slice(1));
  if (!key) return;
  window.history.replaceState(null, "", window.location.pathname);
  const form = document.querySelector("[data-sign-in]");
  form.elements.key.value = key;
  form.submit();
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

signIn();
window.addEventListener("hashchange", signIn); // the link was opened where this page was open already
