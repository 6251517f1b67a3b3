// Follows a run: tells its step, and puts in each part of the page as it is finished.
document.documentElement.classList.add("js");
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function takeOver() {
  const answer = await fetch(location.pathname, { cache: "no-store" });
  if (answer.redirected) return location.replace(answer.url); // the form says why it has no answer
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = document.querySelector(`[data-part="${part.dataset.part}"]`);
    if (old && old.dataset.version !== part.dataset.version) {
      old.replaceChildren(...part.childNodes);
      old.dataset.version = part.dataset.version;
    }
  }
  document.querySelector(".way").replaceWith(fresh.querySelector(".way"));
}

async function follow() {
  for (;;) {
    const status = document.querySelector("#status");
    const address = status && status.dataset.going;
    if (!address) return;
    let run;
    try {
      run = await (await fetch(address, { cache: "no-store" })).json();
    } catch {
      await wait(2000);
      continue;
    }
    const going = run.state === "waiting" || run.state === "running";
    if (!going || Number(status.dataset.parts) !== run.parts.length) {
      await takeOver();
      const fresh = document.querySelector("#status");
      if (!going) delete fresh.dataset.going;
    } else {
      const many = run.of > 1 ? `, ${run.done} of ${run.of}` : "";
      const text = `${run.stage === "answer" ? "Answering" : "Comparing"}: ${run.step}${many} …`;
      if (status.textContent !== text) status.textContent = text;
      const bar = document.querySelector("progress");
      if (bar && run.of > 1) Object.assign(bar, { max: run.of, value: run.done });
    }
    await wait(going ? 250 : 0);
  }
}

follow();
