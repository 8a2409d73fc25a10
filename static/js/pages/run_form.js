// The run form: sizes and ranges are asked for only where values are made up.

import { refusalOfFiles } from "../upload.js";

const facts = JSON.parse(document.querySelector("#upload-facts").textContent);
const limits = { limitBytes: facts.limit_bytes, quotaLeftBytes: facts.limit_bytes };
const form = document.querySelector("#run-form");
const files = form.elements.file;
const place = form.querySelector('[data-errors-for="file"]');
const evaluation = form.querySelector("[data-evaluation]");

function showWhatIsAsked() {
  // Of a file that is yet to be sent nobody knows whether it holds every input.
  const isReal = files.files.length === 0 && facts.whole_sets.includes(form.elements.values.value);
  for (const part of form.querySelectorAll("[data-when]")) {
    part.hidden = (part.dataset.when === "real") !== isReal;
  }
  showEvaluation();
}

// Accuracy needs labels: of a file that is yet to be sent nobody knows whether it has them.
function showEvaluation() {
  const mayHaveLabels =
    files.files.length > 0 || facts.evaluation_sets.includes(form.elements.values.value);
  const isAsked = mayHaveLabels && form.elements.measures_accuracy.checked;
  evaluation.hidden = !mayHaveLabels;
  form.elements.measures_accuracy.disabled = !mayHaveLabels;
  form.elements.answer_output.disabled = !isAsked;
  form.elements.answer_output.closest(".field").hidden = !isAsked;
}

function showRefusal() {
  const refusal = refusalOfFiles([...files.files], limits);
  const line = document.createElement("p");
  line.className = "error";
  line.textContent = refusal;
  place.replaceChildren(...(refusal ? [line] : []));
  return refusal;
}

form.elements.values.addEventListener("change", showWhatIsAsked);
form.elements.measures_accuracy.addEventListener("change", showEvaluation);
files.addEventListener("change", () => {
  showRefusal();
  showWhatIsAsked();
});
form.addEventListener("submit", (event) => {
  if (showRefusal()) {
    event.preventDefault();
    files.focus();
  }
});
showWhatIsAsked();
form.querySelector("[autofocus]")?.closest("details")?.setAttribute("open", "");
