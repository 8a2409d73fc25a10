// A part of a page that updates itself: htmx fetches it, this says aloud what changed.
//
// The part sits in [data-poll] and carries a [data-announce] sentence; the sentence is read
// out only when it changes, not each second.

// The sentence to read out now; empty when nothing has changed.
export function announcement(previous, current) {
  const sentence = current.trim();
  return sentence && sentence !== previous ? sentence : "";
}

function follow(region) {
  const news = document.querySelector("[data-poll-news]");
  const note = document.querySelector("[data-poll-note]");
  const usual = note.textContent;
  let said = region.querySelector("[data-announce]")?.dataset.announce.trim() ?? "";
  region.addEventListener("htmx:afterSwap", () => {
    note.textContent = usual;
    const sentence = announcement(said, region.querySelector("[data-announce]")?.dataset.announce ?? "");
    if (sentence) {
      said = sentence;
      news.textContent = sentence;
    }
  });
  for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    region.addEventListener(failure, () => {
      note.textContent = "The site does not answer at the moment. Trying again.";
    });
  }
}

if (typeof document !== "undefined") {
  document.querySelectorAll("[data-poll]").forEach(follow);
}
