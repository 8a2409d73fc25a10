// The upload page: drop zone, checks before sending, progress while sending, and a way out.

import {
  describeFiles,
  describeProgress,
  modelAmong,
  modelNameOf,
  refusalOfModel,
  speedOf,
} from "../upload.js";

const facts = JSON.parse(document.querySelector("#upload-facts").textContent);
const limits = { limitBytes: facts.limit_bytes, quotaLeftBytes: facts.quota_left_bytes };
const form = document.querySelector("#upload-form");
const zone = document.querySelector("#drop-zone");
const fileInput = form.elements.file;
const nameInput = form.elements.name;
const uploadButton = document.querySelector("#upload-button");
const abortButton = document.querySelector("#abort-button");
const progress = document.querySelector("#upload-progress");
const bar = document.querySelector("#upload-bar");
const figures = document.querySelector("#upload-figures");
const news = document.querySelector("#upload-news");

let request = null;
let suggestedName = "";
let saidPercent = 0;

function showErrors(field, sentences, link) {
  const place = form.querySelector(`[data-errors-for="${field}"]`) ?? form.querySelector('[data-errors-for="file"]');
  place.replaceChildren(
    ...sentences.map((sentence) => {
      const line = document.createElement("p");
      line.className = "error";
      line.textContent = sentence;
      return line;
    }),
  );
  place.closest("details")?.setAttribute("open", "");
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link;
    anchor.textContent = "Add the file as the next version of that model";
    place.append(anchor);
  }
}

function clearErrors() {
  form.querySelectorAll("[data-errors-for], .errorlist").forEach((place) => place.replaceChildren());
}

function checkName() {
  const taken = nameInput && facts.address_by_name[nameInput.value.trim()];
  showNameErrors(taken);
  return !taken;
}

function showNameErrors(address) {
  if (nameInput) {
    showErrors("name", address ? ["You already have a model of this name."] : [], address);
  }
}

function onFile() {
  clearErrors();
  const files = [...fileInput.files];
  const chosen = document.querySelector("#chosen-file");
  chosen.hidden = files.length === 0;
  if (files.length === 0) {
    return;
  }
  chosen.textContent = describeFiles(files);
  if (nameInput && (!nameInput.value || nameInput.value === suggestedName)) {
    suggestedName = nameInput.value = modelNameOf(modelAmong(files).name);
  }
  checkName();
  showErrors("file", [refusalOfModel(files, limits)].filter(Boolean));
}

function onDrop(event) {
  event.preventDefault();
  zone.classList.remove("is-over");
  if (request || event.dataTransfer.files.length === 0) {
    return;
  }
  fileInput.files = event.dataTransfer.files;
  onFile();
}

function askBeforeLeaving(event) {
  event.preventDefault();
}

function showSending(isSending) {
  uploadButton.disabled = isSending;
  abortButton.hidden = progress.hidden = !isSending;
  const change = isSending ? "addEventListener" : "removeEventListener";
  window[change]("beforeunload", askBeforeLeaving);
}

function end(sentence) {
  request = null;
  showSending(false);
  news.textContent = sentence;
  if (sentence) {
    showErrors("file", [sentence]);
    form.querySelector('[data-errors-for="file"]').scrollIntoView({ block: "center" });
  }
}

function onProgress(notes, event) {
  notes.push({ atMs: performance.now(), bytes: event.loaded });
  bar.max = event.total;
  bar.value = event.loaded;
  figures.textContent = describeProgress({
    bytes: event.loaded,
    totalBytes: event.total,
    speed: speedOf(notes),
  });
  const percent = Math.floor((10 * event.loaded) / event.total) * 10;
  if (percent > saidPercent) {
    saidPercent = percent;
    news.textContent = `${percent} % uploaded`;
  }
}

function onAnswer() {
  const { status, response } = request;
  if (status === 201) {
    end("");
    location.assign(response.url);
  } else if (response?.errors) {
    end("");
    clearErrors();
    for (const [field, sentences] of Object.entries(response.errors)) {
      showErrors(field, sentences, field === "name" ? response.existing_url : null);
    }
    form.querySelector(".error")?.scrollIntoView({ block: "center" });
  } else if (status === 403) {
    end("This page is too old to upload from. Reload it and choose the file again.");
  } else {
    end(`The site could not take the file (HTTP ${status}). Nothing was stored; try again later.`);
  }
}

function send() {
  const notes = [];
  saidPercent = 0;
  request = new XMLHttpRequest();
  request.open("POST", location.href);
  request.responseType = "json";
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
  request.upload.addEventListener("progress", (event) => onProgress(notes, event));
  request.addEventListener("load", onAnswer);
  request.addEventListener("error", () =>
    end("The connection broke before the file had arrived. Nothing was stored; try again."),
  );
  request.addEventListener("abort", () => end("Stopped. Nothing was stored."));
  request.send(new FormData(form));
  showSending(true);
}

function onSubmit(event) {
  event.preventDefault();
  clearErrors();
  const files = [...fileInput.files];
  const refusal = files.length ? refusalOfModel(files, limits) : "Choose the .onnx file of your model.";
  if (refusal) {
    showErrors("file", [refusal]);
    fileInput.focus();
  } else if (checkName()) {
    send();
  } else {
    nameInput.focus();
  }
}

for (const name of ["dragenter", "dragover"]) {
  zone.addEventListener(name, (event) => {
    event.preventDefault();
    zone.classList.add("is-over");
  });
}
zone.addEventListener("dragleave", (event) => {
  if (!zone.contains(event.relatedTarget)) {
    zone.classList.remove("is-over");
  }
});
// A file dropped beside the zone would open in the browser and take the page away.
for (const name of ["dragover", "drop"]) {
  window.addEventListener(name, (event) => event.preventDefault());
}
zone.addEventListener("drop", onDrop);
fileInput.addEventListener("change", onFile);
// While typing, not on leaving: an error that goes away then would move the button clicked on.
nameInput?.addEventListener("input", checkName);
form.addEventListener("submit", onSubmit);
abortButton.addEventListener("click", () => request?.abort());
