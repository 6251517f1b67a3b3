// The Find page without reloads: forms and links of the page are asked for in the background and
// the parts that changed are put in place, so that the map stays. Without this script every link
// and form works by itself.

const PARTS = ["side", "layers", "key", "table"];
const said = document.getElementById("said");
let map = null;
let asking = null;
document.documentElement.classList.add("js");

async function ask(address, options, push = true) {
  asking?.abort();
  asking = new AbortController();
  document.body.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { ...options, signal: asking.signal, headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    said.classList.toggle("bad", !answer.ok);
    if (!answer.ok) {
      said.textContent = [...page.querySelectorAll("main p")].slice(0, -1).map((p) => p.textContent).join(" ");
      said.focus();
      return;
    }
    if (!page.getElementById("side") || page.getElementById("map") === null !== (document.getElementById("map") === null)) {
      location.assign(answer.url);
      return;
    }
    show(page);
    if (push) history.pushState(null, "", answer.url);
  } catch (error) {
    if (error.name !== "AbortError") said.textContent = "The server did not answer. Is it still running?";
  } finally {
    document.body.removeAttribute("aria-busy");
  }
}

function show(page) {
  const focused = document.activeElement;
  const again = focused && focused !== document.body ? path(focused) : null;
  for (const id of PARTS) {
    const scrolled = document.querySelector(`#${id} .scrolls`)?.scrollTop ?? 0;
    const fresh = page.getElementById(id);
    const open = document.querySelector(`#${id} details`)?.open;
    document.getElementById(id).replaceWith(document.adoptNode(fresh));
    if (open) document.querySelector(`#${id} details`).open = true;
    document.querySelector(`#${id} .scrolls`)?.scrollTo(0, scrolled);
  }
  document.title = page.title;
  const count = document.getElementById("chosen").textContent;
  const found = document.getElementById("found")?.textContent;
  said.textContent = [found, count].filter(Boolean).join(". ");
  if (again && !document.contains(focused)) {
    (document.querySelector(again.own) ?? document.getElementById(again.part))?.focus();
  }
  map?.update();
}

// Where the focus was: the same field or button, else the part of the page it was in.
function path(element) {
  const part = PARTS.find((id) => element.closest(`#${id}`));
  let own = element.id ? `#${CSS.escape(element.id)}` : `#${part} summary`;
  if (element.name && element.value !== undefined && element.tagName === "BUTTON") {
    own = `#${part} button[value="${CSS.escape(element.value)}"]`;
  }
  return { own, part: part === "side" ? "q" : "layer" };
}

function change(fields) {
  const body = new URLSearchParams({ view: document.getElementById("state").dataset.view, ...fields });
  return ask("/find/change", { method: "POST", body });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const data = new FormData(form, event.submitter);
  const isFile = form.enctype === "multipart/form-data";
  const body = isFile ? data : new URLSearchParams([...data].filter(([, value]) => value !== ""));
  if (form.method === "post") ask(form.action, { method: "POST", body });
  else ask(`${new URL(form.action).pathname}?${body}`, {});
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (new URL(link.href).pathname !== "/find" || !link.closest("#table, #side")) return;
  event.preventDefault();
  ask(link.href, {});
});

document.addEventListener("change", (event) => {
  if (!event.target.closest("#layers")) return;
  if (event.target.name === "base") location.assign(`/find?base=${event.target.value}`);
  else {
    if (event.target.name === "layer") document.getElementById("period")?.remove();
    document.getElementById("layers").requestSubmit();
  }
});

addEventListener("popstate", () => ask(location.href, {}, false));

if (document.getElementById("map")) {
  document.getElementById("map").parentElement.hidden = false;
  import("./map.js").then(async ({ makeMap }) => {
    map = await makeMap({ change, say: (text) => { said.textContent = text; } });
  }).catch(() => {
    const place = document.getElementById("map");
    place.textContent = "The map cannot be drawn in this browser. Search and table do all it does.";
  });
}
