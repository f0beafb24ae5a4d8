/** A page of admin that brings itself up to date: what is marked data-live is taken from the same page, asked for anew. */

const PAUSE_MS = 2_000;
const LONGEST_MS = 30_000;

const trouble = document.querySelector("[data-live-trouble]");
let pause = PAUSE_MS;

async function ask() {
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error", cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    pause = PAUSE_MS;
    trouble.textContent = "";
  } catch {
    pause = Math.min(LONGEST_MS, pause * 2);
    trouble.textContent = trouble.dataset.liveTrouble;
  }
  plan();
}

/** Nothing is touched that is as it was: focus and selection stay where a person has them. */
function show(page) {
  for (const place of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${place.dataset.live}"]`);
    if (fresh) renew(place, fresh);
  }
}

function renew(place, fresh) {
  if (place.isEqualNode(fresh)) return;
  const isWhole = place.nodeName === fresh.nodeName && place.childNodes.length === fresh.childNodes.length;
  if (place.nodeType === Node.ELEMENT_NODE && isWhole && place.cloneNode().isEqualNode(fresh.cloneNode())) {
    [...place.childNodes].forEach((child, index) => renew(child, fresh.childNodes[index]));
  } else if ("data-live" in (place.attributes ?? {})) {
    place.replaceChildren(...fresh.childNodes);
  } else {
    place.replaceWith(fresh.cloneNode(true));
  }
}

function plan() {
  setTimeout(() => (document.hidden ? plan() : ask()), pause);
}

plan();
