// Plays the frames that the kernel sends: pause, step back and forward, live. The kernel renders;
// this script keeps the last frames, chooses one and patches the page. All but "Stop query" and
// "Next batch" works without the kernel, so also while a cell is busy.

const KEEP = 60;
const MOVED = "labkit-moved"; // an event between linked views of one page
const SPEAK_EVERY_MS = 5000;
const UNITS = { batch: "batches", step: "steps" }; // what a frame shows, one and many

const ICONS = {
  pause: '<path d="M2 1h3v10H2zM7 1h3v10H7z"/>',
  back: '<path d="M9 1v10L2 6z"/>',
  forward: '<path d="M3 1v10l7-5z"/>',
  live: '<path d="M1 1v10l6-5zM8 1h3v10H8z"/>',
  stop: '<path d="M2 2h8v8H2z"/>',
};

function icon(name) {
  return `<svg class="lk-icon" viewBox="0 0 12 12" aria-hidden="true">${ICONS[name]}</svg>`;
}

function make(tag, classes, attributes = {}) {
  const element = document.createElement(tag);
  element.className = classes;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function button(words, picture = "") {
  const element = make("button", "lk-button", { type: "button" });
  element.innerHTML = picture ? icon(picture) : "";
  element.append(make("span", ""));
  element.lastChild.textContent = words;
  if (picture && !words) element.classList.add("lk-only-icon");
  return element;
}

// A button that is off keeps the focus; with "disabled" the next key would reach the notebook.
function allow(element, on) {
  element.setAttribute("aria-disabled", String(!on));
}

// ---- patching: what did not change stays, with its scroll position, selection and focus ----

function patchRows(body, fresh) {
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  let place = body.firstElementChild;
  for (const wanted of [...fresh.rows]) {
    const row = known.get(wanted.dataset.key) ?? wanted;
    known.delete(wanted.dataset.key);
    if (row !== wanted && row.outerHTML !== wanted.outerHTML) {
      row.className = wanted.className;
      row.innerHTML = wanted.innerHTML;
    }
    if (row === place) place = place.nextElementSibling;
    else body.insertBefore(row, place);
  }
  for (const gone of known.values()) gone.remove();
}

function patchTable(page, fresh) {
  const [old, wanted] = [page.querySelector("table"), fresh.querySelector("table")];
  if (!old?.tHead || !wanted?.tHead || page.querySelector("svg")) return false;
  if (page.querySelectorAll("table").length > 1) return false;
  if (old.tHead.innerHTML !== wanted.tHead.innerHTML) return false;
  const scroll = page.querySelector(".lk-scroll");
  const atEnd = scroll && scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - 4;
  patchRows(old.tBodies[0], wanted.tBodies[0]);
  const [foot, newFoot] = [page.querySelector(".lk-foot"), fresh.querySelector(".lk-foot")];
  if (foot && newFoot && foot.innerHTML !== newFoot.innerHTML) foot.innerHTML = newFoot.innerHTML;
  if (atEnd) scroll.scrollTop = scroll.scrollHeight; // new rows until the reader scrolls up
  return true;
}

const STOPS = "summary, [tabindex], pre"; // where the focus can be in a page

function patch(page, html) {
  const fresh = document.createElement("div");
  fresh.innerHTML = html; // every value in it was escaped by the kernel
  if (patchTable(page, fresh)) return;
  const opened = [...page.querySelectorAll("details")].map((details) => details.open);
  const scrolled = [...page.querySelectorAll(".lk-scroll")].map((box) => box.scrollLeft);
  const focused = [...page.querySelectorAll(STOPS)].indexOf(document.activeElement);
  page.replaceChildren(...fresh.childNodes);
  page.querySelectorAll("details").forEach((details, i) => (details.open ||= opened[i] ?? false));
  page.querySelectorAll(".lk-scroll").forEach((box, i) => (box.scrollLeft = scrolled[i] ?? 0));
  const again = page.querySelectorAll(STOPS)[focused] ?? page.closest(".lk-view");
  if (focused >= 0) again.focus({ preventScroll: true });
}

// ---- one polite line for screen readers, shared by all views of the page ----

// It must be there before the first words, or they are not read out.
function speaker() {
  let line = document.querySelector(".lk-speaker");
  if (!line) {
    line = make("p", "lk-speaker lk-unseen", { role: "status", "aria-live": "polite" });
    document.body.append(line);
  }
  return line;
}

// At most every five seconds, and then what is newest; "words" are asked for only then.
function speak(words) {
  const voice = (window.labkitVoice ??= { saidAt: -SPEAK_EVERY_MS, timer: 0 });
  voice.words = words;
  if (voice.timer) return;
  const say = () => {
    const said = voice.words();
    voice.timer = 0;
    if (!said) return;
    voice.saidAt = performance.now();
    speaker().textContent = said;
  };
  const wait = voice.saidAt + SPEAK_EVERY_MS - performance.now();
  if (wait > 0) voice.timer = setTimeout(say, wait);
  else say();
}

// ---- the frames that are kept, and the one that is shown ----

class Reel {
  constructor() {
    this.frames = [];
    this.at = null; // the batch that is shown; null: always the newest
    this.unseen = 0;
    this.seen = new Set(); // who draws
  }

  add(frames, isNews) {
    const before = this.frames.at(-1)?.batch ?? -1;
    const all = new Map(this.frames.map((frame) => [frame.batch, frame]));
    for (const frame of frames) all.set(frame.batch, frame); // a frame drawn again replaces itself
    if (all.size > 1) all.delete(-1); // the frame that said it waits
    this.frames = [...all.values()].sort((a, b) => a.batch - b.batch).slice(-KEEP);
    const fresh = this.frames.filter((frame) => frame.batch > before).length;
    if (isNews && this.at !== null) this.unseen += fresh;
    this.draw();
    if (isNews && fresh) speak(() => this.at === null && this.frame.alt); // silent while paused
  }

  get place() {
    if (this.at === null) return this.frames.length - 1;
    const place = this.frames.findLastIndex((frame) => frame.first <= this.at);
    return Math.max(0, place);
  }

  get frame() {
    return this.frames[this.place];
  }

  show(place) {
    const frame = this.frames[Math.min(Math.max(0, place), this.frames.length - 1)];
    if (frame) this.at = frame.batch;
    this.draw();
  }

  goLive() {
    this.at = null;
    this.unseen = 0;
    this.draw();
  }

  draw() {
    for (const draw of this.seen) draw();
  }
}

// ---- controls ----

function controls(reel, tell, model) {
  const [one, many] = [model.get("unit"), UNITS[model.get("unit")]];
  const [One, Many] = [one, many].map((word) => word[0].toUpperCase() + word.slice(1));
  const bar = make("div", "lk-controls", { role: "toolbar", "aria-label": Many });
  const pause = button("Pause", "pause");
  const back = button("", "back");
  const forward = button("", "forward");
  const slider = make("input", "lk-slider", { type: "range", min: 0, step: 1 });
  const where = make("span", "lk-where");
  const live = button("Live", "live");
  const badge = make("span", "lk-badge");
  const gap = make("span", "lk-gap");
  const next = button("Next batch");
  const stop = button("Stop query", "stop");
  const copy = button("Copy");
  back.setAttribute("aria-label", `One ${one} back`);
  forward.setAttribute("aria-label", `One ${one} forward`);
  slider.setAttribute("aria-label", One);
  live.append(badge);
  bar.append(pause, back, forward, slider, where, live, gap);
  if (model.get("has_feed")) bar.append(next);
  if (model.get("has_query")) bar.append(stop);
  bar.append(copy);
  const refuse = (event) => {
    if (event.target.closest("[aria-disabled=true]")) event.stopPropagation();
  };
  bar.addEventListener("click", refuse, true);

  pause.onclick = () => tell(() => (reel.at === null ? reel.show(reel.place) : reel.goLive()));
  back.onclick = () => tell(() => reel.show(reel.place - 1));
  forward.onclick = () => tell(() => reel.show(reel.place + 1));
  slider.oninput = () => tell(() => reel.show(Number(slider.value)));
  live.onclick = () => tell(() => reel.goLive());
  next.onclick = () => model.send({ do: "step" });
  stop.onclick = () => {
    allow(stop, false);
    stop.lastChild.textContent = "Stopping…";
    model.send({ do: "stop" });
  };
  copy.onclick = () => navigator.clipboard?.writeText(reel.frame?.text ?? "");

  const draw = () => {
    const frames = reel.frames;
    const paused = reel.at !== null;
    pause.setAttribute("aria-pressed", String(paused));
    pause.lastChild.textContent = paused ? "Paused" : "Pause";
    allow(back, reel.place > 0);
    allow(forward, reel.place < frames.length - 1);
    slider.max = String(Math.max(0, frames.length - 1));
    slider.value = String(reel.place);
    const now = reel.frame;
    const some = now && now.batch >= 0;
    where.innerHTML = some
      ? `${One} <b>${now.batch}</b> of ${frames[0].first}–${frames.at(-1).batch}`
      : `no ${one} yet`;
    slider.setAttribute("aria-valuetext", where.textContent);
    const news = `${reel.unseen} new ${reel.unseen === 1 ? one : many}`;
    badge.textContent = paused && reel.unseen ? news : "";
    badge.hidden = !badge.textContent;
    const open = ["running", "waiting"].includes(model.get("sent").code);
    if (!open) allow(stop, false);
    allow(next, open);
    if (!open) stop.lastChild.textContent = "Stop query";
  };
  return { bar, draw };
}

function tabs(choose) {
  const bar = make("div", "lk-tabs", { role: "tablist" });
  const draw = (pages, chosen) => {
    bar.hidden = pages.length < 2;
    if (bar.children.length !== pages.length) {
      bar.replaceChildren(
        ...pages.map((_, place) => {
          const tab = make("button", "lk-tab", { type: "button", role: "tab" });
          tab.onclick = () => choose(place);
          return tab;
        }),
      );
    }
    pages.forEach((page, place) => {
      const tab = bar.children[place];
      if (tab.textContent !== page.name) tab.textContent = page.name;
      tab.setAttribute("aria-selected", String(place === chosen));
      tab.tabIndex = place === chosen ? 0 : -1;
    });
  };
  bar.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const all = [...bar.children];
    const to = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    to.focus();
    to.click();
    event.stopPropagation();
    event.preventDefault();
  };
  return { bar, draw };
}

// Back to the notebook, where its shortcuts work again.
function leave(root) {
  document.activeElement.blur();
  root.closest(".jp-Cell")?.focus();
}

// Whether the key moves a box that is wider or higher than its place; else it moves the player.
function scrolls({ key, target }) {
  if (!target.matches(".lk-scroll, pre")) return false;
  if (["ArrowLeft", "ArrowRight"].includes(key)) return target.scrollWidth > target.clientWidth;
  return ["Home", "End", " "].includes(key) && target.scrollHeight > target.clientHeight;
}

function onKeys(root, reel, tell) {
  const moves = {
    ArrowLeft: () => reel.show(reel.place - 1),
    ArrowRight: () => reel.show(reel.place + 1),
    Home: () => reel.show(0),
    End: () => reel.goLive(),
    " ": () => (reel.at === null ? reel.show(reel.place) : reel.goLive()),
  };
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave(root);
    event.stopPropagation(); // no shortcut of the notebook while the view has the focus
    if (scrolls(event)) return;
    const pressed = event.key === " " && event.target.closest("button, summary");
    const move = moves[event.key];
    if (!move || pressed || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    tell(move);
  });
}

// ---- the widget ----

export default () => {
  const reel = new Reel();

  function initialize({ model }) {
    const take = () => reel.add(model.get("sent").frames ?? [], true);
    model.on("change:sent", take);
    model.on("msg:custom", (message) => reel.add(message.frames ?? [], false));
    take();
    model.send({ do: "frames" }); // those from before this page was loaded
    return () => model.off("change:sent", take);
  }

  function render({ model, el }) {
    const root = make("section", "lk-view", {
      tabindex: 0,
      "aria-label": "Live view",
      "data-lm-suppress-shortcuts": "true",
    });
    const state = make("p", "lk-state");
    const failure = make("p", "lk-failure", { role: "alert" });
    const top = make("div", "lk-top");
    const page = make("div", "lk-page");
    let chosen = 0;
    let shown = null; // what the page holds, so that a change of state alone leaves it as it is
    speaker();

    // A move of the reader is told to linked views; a move that was told is not told again.
    const tell = (move) => {
      move();
      const group = model.get("group");
      if (!group) return;
      const detail = { group, reel, batch: reel.at };
      document.dispatchEvent(new CustomEvent(MOVED, { detail }));
    };
    const follow = ({ detail }) => {
      if (detail.reel === reel || detail.group !== model.get("group")) return;
      if (detail.batch === null) reel.goLive();
      else reel.show(Math.max(0, reel.frames.findLastIndex((f) => f.first <= detail.batch)));
    };
    document.addEventListener(MOVED, follow);

    const tabBar = tabs((place) => {
      chosen = place;
      draw();
    });
    const player = controls(reel, tell, model);
    onKeys(root, reel, tell);
    root.append(state, failure, top, tabBar.bar, page, player.bar);
    el.append(root);

    let wanted = false;
    const draw = () => {
      if (wanted) return; // the newest frame wins
      wanted = true;
      requestAnimationFrame(() => {
        wanted = false;
        paint();
      });
    };
    const paint = () => {
      const sent = model.get("sent");
      const isOver = state.textContent && ["stopped", "closed"].includes(sent.code);
      if (isOver && state.textContent !== sent.state) speak(() => sent.state);
      state.textContent = sent.state ?? "";
      state.dataset.state = sent.code ?? "";
      if (failure.textContent !== (sent.failure ?? "")) failure.textContent = sent.failure ?? "";
      failure.hidden = !sent.failure;
      const frame = reel.frame;
      if (!frame) return;
      if (top.innerHTML !== frame.top) top.innerHTML = frame.top;
      chosen = Math.min(chosen, frame.pages.length - 1);
      tabBar.draw(frame.pages, chosen);
      const { name, html } = frame.pages[chosen];
      if (name) page.setAttribute("role", "tabpanel");
      if (name) page.setAttribute("aria-label", name);
      if (html !== shown) patch(page, html);
      shown = html;
      player.draw();
    };
    reel.seen.add(draw);
    paint();
    return () => {
      reel.seen.delete(draw);
      document.removeEventListener(MOVED, follow);
    };
  }

  return { initialize, render };
};
