// Shows the frames that the kernel sends. The kernel renders; this script only swaps what changed,
// row by row, so that scroll position, selection and focus stay where they are.

const MOVES = ["lk-new", "lk-changed", "lk-removed", "lk-same"];

function template(html) {
  const box = document.createElement("div");
  box.innerHTML = html; // every value in it was escaped by the kernel
  return box;
}

function patchRows(body, fresh) {
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  let place = body.firstElementChild;
  for (const wanted of [...fresh.rows]) {
    const row = known.get(wanted.dataset.key) ?? wanted;
    known.delete(wanted.dataset.key);
    if (row !== wanted && row.outerHTML !== wanted.outerHTML) {
      row.classList.remove(...MOVES);
      row.className = wanted.className;
      row.innerHTML = wanted.innerHTML;
    }
    if (row === place) place = place.nextElementSibling;
    else body.insertBefore(row, place);
  }
  for (const gone of known.values()) gone.remove();
}

function sameHead(old, fresh) {
  return old && fresh && old.innerHTML === fresh.innerHTML;
}

function show(page, html) {
  const fresh = template(html);
  const oldTable = page.querySelector("table");
  const newTable = fresh.querySelector("table");
  if (!oldTable || !newTable || !sameHead(oldTable.tHead, newTable.tHead)) {
    page.replaceChildren(...fresh.childNodes);
    return;
  }
  const scroll = page.querySelector(".lk-scroll");
  const atEnd = scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - 4;
  patchRows(oldTable.tBodies[0], newTable.tBodies[0]);
  for (const part of [".lk-head", ".lk-sentence", ".lk-foot"]) {
    const from = fresh.querySelector(part);
    const to = page.querySelector(part);
    if (from && to && from.innerHTML !== to.innerHTML) to.innerHTML = from.innerHTML;
  }
  if (atEnd) scroll.scrollTop = scroll.scrollHeight; // follow new rows until the reader scrolls up
}

function render({ model, el }) {
  const root = document.createElement("section");
  root.className = "lk-view";
  root.style.setProperty("--lk-height", `${model.get("height_px")}px`);
  const state = document.createElement("p");
  state.className = "lk-state";
  const page = document.createElement("div");
  root.append(state, page);
  el.append(root);

  const draw = () => {
    const sent = model.get("sent");
    state.textContent = sent.state ?? "";
    state.dataset.state = sent.code ?? "";
    const frames = sent.frames ?? [];
    if (frames.length) show(page, frames[frames.length - 1].html);
  };
  model.on("change:sent", draw);
  draw();
  return () => model.off("change:sent", draw);
}

export default { render };
