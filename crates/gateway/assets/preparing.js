// Asks how far the planet is, shows it, and lets the client take this page's place when it is there.

const ASK_INTERVAL_MS = 700;

const [stage, percent, progress, trouble] =
  ["stage", "percent", "progress", "trouble"].map((id) => document.getElementById(id));

/** Text only where it changed: the stage is read aloud. */
function show(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

async function ask() {
  try {
    const answer = await fetch("/api/v1/planet/progress", { cache: "no-store" });
    const now = await answer.json();
    trouble.hidden = true;
    if (now.state === "ready") {
      location.reload();
      return;
    }
    show(stage, now.stage);
    show(percent, `${now.percent} %`);
    progress.value = now.percent;
  } catch {
    trouble.hidden = false;
  }
  setTimeout(ask, ASK_INTERVAL_MS);
}

void ask();
