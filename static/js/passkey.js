// Says why a passkey did not work, next to its button; django-allauth only writes to the console.

const ADVICE_BY_ERROR = {
  NotAllowedError: "The browser gave up waiting, or you closed its window. Try again.",
  InvalidStateError: "This key is already on your account.",
  NotSupportedError: "This device offers no passkey. Use another one, or a security key.",
  SecurityError: "Passkeys work on https addresses and on localhost only, and this is neither.",
};
const UNEXPECTED = "That did not work. Reload the page and try again.";

document.addEventListener("allauth.error", (event) => {
  const place = document.getElementById("webauthn-error");
  if (!place) {
    return;
  }
  place.textContent = ADVICE_BY_ERROR[event.detail.exception.name] ?? UNEXPECTED;
  place.hidden = false;
  event.preventDefault();
});
