// A link to /sign-in#KEY signs in by itself. What stands behind # is never sent with the address, and is taken out of
// the address bar and the history at once.

const key = decodeURIComponent(window.location.hash.slice(1));
if (key) {
  window.history.replaceState(null, "", window.location.pathname);
  const form = document.querySelector("[data-sign-in]");
  form.elements.key.value = key;
  form.submit();
}
