// Shows one question at a time. The answers stay in the kernel: this page sends a choice, and the
// kernel sends back what it says to it. Everything works by keyboard: arrows choose, Enter answers.

const PATIENCE_MS = 1500;
const WAITING =
  "No answer yet. If a cell is running, the answer comes after it. If none is running, run this cell again.";

const ICONS = {
  back: '<path d="M9 1v10L2 6z"/>',
  forward: '<path d="M3 1v10l7-5z"/>',
  cross: '<path d="M2 2l8 8M2 10l8-8"/>',
  tick: '<path d="M1 6.5L4.5 10L11 2"/>',
};

let views = 0; // radio buttons belong together by a name that no other view on the page has

function icon(name) {
  return `<svg class="lk-icon lk-${name}" viewBox="0 0 12 12" aria-hidden="true">${ICONS[name]}</svg>`;
}

function make(tag, classes, attributes = {}) {
  const element = document.createElement(tag);
  element.className = classes;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function turner(name, words) {
  const element = make("button", "lk-button lk-only-icon", { type: "button", "aria-label": words });
  element.innerHTML = icon(name);
  return element;
}

// ---- the choices of one question ----

function choiceRow(html, name, value) {
  const row = make("label", "lk-choice");
  const radio = make("input", "", { type: "radio", name, value });
  const words = make("span", "lk-choice-text");
  words.innerHTML = html; // every text in it was escaped by the kernel
  row.append(radio, words, make("span", "lk-mark"));
  return row;
}

function markRow(row, sign, words, kind) {
  row.classList.toggle("lk-no", kind === "no");
  row.classList.toggle("lk-yes", kind === "yes");
  const html = kind ? `${icon(sign)} ${words}` : "";
  if (row.lastChild.innerHTML !== html) row.lastChild.innerHTML = html;
}

function markRows(rows, record) {
  rows.forEach((row, place) => {
    if (place === record.right) markRow(row, "tick", "right", "yes");
    else if (record.tried.includes(place)) markRow(row, "cross", "not this one", "no");
    else markRow(row, "", "", "");
  });
}

// ---- the widget ----

function render({ model, el }) {
  const name = `labkit-quiz-${(views += 1)}`;
  const root = make("section", "lk-view lk-quiz", {
    "aria-label": `Quiz ${model.get("lesson")}`,
    "data-lm-suppress-shortcuts": "true",
  });
  const top = make("div", "lk-quiz-top");
  const where = make("b", "lk-where", { role: "status" });
  const beside = make("span", "lk-beside");
  const back = turner("back", "Question before");
  const forward = turner("forward", "Next question");
  top.append(where, beside, make("span", "lk-gap"), back, forward);
  const group = make("fieldset", "lk-choices");
  const asked = make("legend", "lk-asked");
  const speaker = make("div", "", { role: "status", "aria-live": "polite" }); // there before its words
  const bottom = make("div", "lk-controls");
  const act = make("button", "lk-button", { type: "button" });
  const score = make("span", "lk-score");
  bottom.append(act, make("span", "lk-gap"), score);
  root.append(top, group, speaker, bottom);
  el.append(root);

  let rows = [];
  let drawn = -1; // the question whose choices stand there
  let timer = null; // runs while the kernel is asked

  const at = () => model.get("at");
  const questions = () => model.get("questions");
  const record = () => model.get("records")[at()];
  const chosen = () => rows.findIndex((row) => row.firstChild.checked);

  const turnTo = (place) => {
    if (place < 0 || place >= questions().length) return;
    model.set("at", place);
    model.save_changes();
  };
  const say = (title, html) => {
    const wanted = html && `<p class="lk-reply"><b>${title}</b> ${html}</p>`;
    if (speaker.innerHTML !== wanted) speaker.innerHTML = wanted;
  };
  const stopWaiting = () => {
    clearTimeout(timer);
    timer = null;
  };
  const focusOn = (row) => row?.firstChild.focus();

  const steps = {
    Answer() {
      if (timer !== null) return; // the kernel is asked already
      timer = setTimeout(() => say("", WAITING), PATIENCE_MS);
      model.send({ do: "answer", question: at(), choice: chosen() });
    },
    "Try again"() {
      rows.forEach((row) => (row.firstChild.checked = false));
      focusOn(rows.find((_, place) => !record().tried.includes(place)));
      draw();
    },
    "Next question"() {
      turnTo(at() + 1);
      focusOn(rows[0]);
    },
  };
  const step = () => {
    if (record().right >= 0) return at() + 1 < questions().length ? "Next question" : "";
    return record().tried.includes(chosen()) ? "Try again" : "Answer";
  };

  const drawQuestion = () => {
    const question = questions()[at()];
    drawn = at();
    where.textContent = `Question ${at() + 1} of ${questions().length}`;
    beside.textContent = question.beside;
    asked.innerHTML = question.text;
    rows = question.choices.map((html, place) => choiceRow(html, name, place));
    group.replaceChildren(asked, ...rows);
    chooseLast();
  };
  const chooseLast = () => {
    const { tried, right } = record();
    const last = right >= 0 ? right : (tried.at(-1) ?? -1);
    if (last >= 0) rows[last].firstChild.checked = true;
  };
  const draw = () => {
    if (drawn !== at()) drawQuestion();
    const now = record();
    const all = model.get("records");
    markRows(rows, now);
    rows.forEach((row) => row.classList.toggle("lk-chosen", row.firstChild.checked));
    say(now.right >= 0 ? "Right." : "Hint.", now.words);
    act.textContent = step();
    act.hidden = !step();
    act.disabled = step() === "Answer" && chosen() < 0;
    score.textContent = `${all.filter((one) => one.right >= 0).length} of ${all.length} right so far`;
    back.setAttribute("aria-disabled", String(at() === 0));
    forward.setAttribute("aria-disabled", String(at() === questions().length - 1));
  };

  group.addEventListener("change", () => {
    if (record().right >= 0) rows[record().right].firstChild.checked = true; // it is answered
    draw();
  });
  act.onclick = () => steps[step()]();
  back.onclick = () => turnTo(at() - 1);
  forward.onclick = () => turnTo(at() + 1);
  root.addEventListener("keydown", (event) => {
    event.stopPropagation(); // no shortcut of the notebook while the quiz has the focus
    if (event.key === "Escape") document.activeElement.blur();
    if (event.key !== "Enter" || event.target.type !== "radio") return;
    event.preventDefault();
    if (!act.hidden && !act.disabled) steps[step()]();
  });

  const take = () => {
    stopWaiting();
    if (drawn === at()) chooseLast();
    draw();
  };
  const turn = () => {
    stopWaiting();
    draw();
  };
  model.on("change:records", take);
  model.on("change:at", turn);
  draw();
  return () => {
    stopWaiting();
    model.off("change:records", take);
    model.off("change:at", turn);
  };
}

export default { render };
