// The static edition: one page whose address has after `#` what the app's address has. It follows core/charts/player.js
// and core/charts/story.js in one classic script, since a browser that opens a file loads neither modules nor data.
// Data come as scripts that call `prunescope.take(name, data)`; core/exports/site_files.py says what is in them. The
// pages, their choices and what an address may hold come from the table in core/request/pages.py.

const TAKEN = {}, SCRIPTS = {}; // data by name, packed until they are used; scripts that load or have loaded, by address
const KEY_CHARS = 12; // of a result's key in the name of a file
const LOCAL = "To prune a checkpoint, or to have a sentence of your own classified, run Prunescope:";
const MISSING = "This view is not part of this edition, or it did not load.";

let site; // the index
let drawn = { roots: [], shown: {} }; // the page on show, the elements of its players, the values of its choices
let draws = 0; // begun so far

globalThis.prunescope = { take: (name, packed) => { TAKEN[name] = packed; } };

const own = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined); // an address may name anything
const mapped = (table, change) =>
  Object.fromEntries(Object.entries(table).map(([name, value]) => [name, change(value)]));

// ---------------------------------------------------------------- data

function script(src) { // loads it once, or again after a failure
  return (SCRIPTS[src] ??= new Promise((resolve, reject) => {
    const onerror = () => { delete SCRIPTS[src]; reject(new Error(`${src} did not load`)); };
    document.head.append(element("script", { src, onload: resolve, onerror }));
  }));
}

async function dataOf(name) {
  if (!own(TAKEN, name)) await script(`data/${name}.js`);
  if (typeof TAKEN[name] === "string") {
    const bytes = Uint8Array.from(atob(TAKEN[name]), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const { data, texts } = await new Response(stream).json();
    TAKEN[name] = JSON.parse(data, (_, value) => texts[value?.$] ?? value); // puts the long texts in their places
  }
  return TAKEN[name];
}

// ---------------------------------------------------------------- addresses

function withChanges(changes) { // the address with other parameters; an empty one is left out
  const view = viewed();
  for (const [name, value] of Object.entries(changes)) {
    if (value) view.searchParams.set(name, value);
    else view.searchParams.delete(name);
  }
  return addressOf(view);
}

function go(changes) { // another result drops the one beside it, except on Compare
  const alone = "result" in changes && drawn.page !== "compare" ? { other: "" } : {};
  location.hash = withChanges({ ...alone, ...changes });
}

function linkTo(page, changes = {}) { // carries parameters to another page, as `carried` in ui/address.py does
  const now = viewed().searchParams, result = now.get("result"), stays = (changes.result ?? result) === result;
  const kept = Object.fromEntries(site.carried.map((name) => [name, stays || name !== "other" ? now.get(name) : ""]));
  const all = Object.entries({ ...kept, ...changes }).filter(([, value]) => value);
  return `#/${page}?${new URLSearchParams(all)}`.replace(/\?$/, "");
}

class Reader { // of an address; a note says which of its values cannot be shown
  view = viewed();
  parameters = this.view.searchParams;
  shown = {};
  notes = [];

  refuse(name) { // without a note if another choice made the value meaningless
    const value = this.parameters.get(name);
    if (value && value !== drawn.shown[name]) {
      const parts = [name, value.slice(0, site.maxQuotedChars)];
      this.notes.push(site.refused.replaceAll("{}", () => parts.shift()));
    }
    this.parameters.delete(name);
  }

  choice({ name, options, default: otherwise }) {
    const value = this.parameters.get(name), isHere = Object.hasOwn(options, value);
    if (!isHere) this.refuse(name);
    return (this.shown[name] = isHere ? value : otherwise);
  }

  get amount() { // or the step of training that a shared link begins with
    const value = Number(this.parameters.get("amount") || NaN);
    return value >= 0 ? value : undefined;
  }
}

// ---------------------------------------------------------------- elements

const paragraphs = (texts = [], className = "") => texts.map((text) => element("p", { className }, text));
const commands = (text) => element("pre", {}, element("code", {}, text)); // site.css lets a click select them
const link = (label, page, changes, more) => element("a", { href: linkTo(page, changes), ...more }, label);
const field = (label, control) => element("label", {}, element("span", {}, label), control);

function chooser({ name, label, options }, chosen) {
  const items = Object.entries(options).map(([value, title]) => new Option(title, value, false, value === chosen));
  const onchange = ({ target }) => go({ [name]: target.value });
  return field(label, element("select", { id: name, onchange }, ...items));
}

function folded(name, summary, ...content) { // stays open on the same page
  const before = drawn.isNew ? null : document.querySelector(`details.${name}`);
  const open = before ? before.open : drawn.page === "sentences" && name === "more";
  return element("details", { className: name, open }, element("summary", {}, summary), ...content);
}

function tabled(title, rows, headOf = (name) => name) { // rows of texts or elements; the first column names a row
  const head = Object.keys(rows[0] ?? {}).map((name, k) => element("th", { scope: "col" }, headOf(name, k)));
  const cell = (content, k) => (k ? element("td", {}, content) : element("th", { scope: "row" }, content));
  const lines = [head, ...rows.map((row) => Object.values(row).map(cell))].map((cells) => element("tr", {}, ...cells));
  const table = element("table", {}, element("caption", {}, title),
    element("thead", {}, lines[0]), element("tbody", {}, ...lines.slice(1)));
  return element("div", { className: "table", tabIndex: 0, role: "group", ariaLabel: title || "Numbers" }, table);
}

function navigate(page, result) { // two lines, as in ui/header.py
  const isView = site.views.includes(page), isPage = (to) => ({ ariaCurrent: to === page ? "page" : null });
  const first = Object.entries(site.first).map(([label, to]) => (site.views.includes(to)
    ? link(label, to, { result }, { ariaCurrent: isView ? "true" : null })
    : link(label, to, {}, isPage(to))));
  const views = site.views.map((to) => link(site.pages[to].name, to, { result }, isPage(to)));
  const lines = [element("nav", { ariaLabel: "Pages" }, element("b", {}, "Prunescope"), ...first)];
  if (result || page === "" || isView) lines.push(element("nav", { ariaLabel: "Views" }, ...views));
  document.querySelector("header").replaceChildren(...lines);
  for (const line of lines) line.scrollLeft = (line.querySelector("[aria-current]")?.offsetLeft ?? 0) - line.clientWidth / 2;
}

function listOfResults(reader) { // with a field that searches it, and heads that sort it
  const entries = Object.entries(site.results), count = element("p", { role: "status" }), place = element("div");
  const oninput = () => { history.replaceState(history.state, "", withChanges({ q: q.value })); fill(); };
  const q = element("input", { type: "search", value: reader.parameters.get("q") ?? "", oninput });
  const row = ([result, { name, cells }]) => ({
    ...Object.fromEntries(site.columns.map((title, k) => [title, cells[k] ?? "–"])),
    ...mapped({ Story: "", Layers: "layers", Compare: "compare" }, (page) =>
      link("Open", page, { result }, { ariaLabel: `Open ${site.pages[page].name}: ${name}` })),
  });
  let by = -1, sign = 1; // the column to sort by, and the direction
  const order = ([, one], [, other]) => {
    const [first, second] = [one, other].map(({ cells }) => String(cells[by] ?? ""));
    return sign * first.localeCompare(second, "en", { numeric: true });
  };
  const sort = (k) => {
    [by, sign] = [k, k === by ? -sign : 1];
    entries.sort(order);
    fill();
    place.querySelectorAll("thead button")[k].focus();
  };
  const head = (name, k) => (k < site.columns.length
    ? element("button", { type: "button", title: "Sort", onclick: () => sort(k) },
      name, ...(k === by ? [sign > 0 ? " ↑" : " ↓"] : []))
    : name);
  function fill() {
    const words = q.value.toLowerCase().split(/\s+/);
    const matches = entries.filter(([, { name, cells }]) =>
      words.every((word) => [name, ...cells].join(" ").toLowerCase().includes(word)));
    count.textContent = `${matches.length} of ${entries.length} results`;
    place.replaceChildren(tabled("", matches.map(row), head));
  }
  fill();
  return [element("h2", {}, "Results"), element("div", { className: "choices" }, field("Search", q)), count, place];
}

// ---------------------------------------------------------------- the page

function subjectsOf(page, reader) { // the results or the study that a page is about, and the choice of others
  const named = reader.parameters.get("result") ?? "", its = (key) => own(site.results, key) ?? { other: {}, trained: [] };
  const offers = {
    result: () => [mapped(site.results, ({ name }) => name), site.start],
    other: () => [its(reader.shown.result).other],
    ...mapped(site.trained, (names) => () => [names, its(named).trained.find((key) => own(names, key))]),
  };
  const choices = Object.entries(site.pages[page].subjects).map(([name, label]) => {
    const [options, preferred] = offers[name]();
    const choice = { name, label, options, default: preferred || Object.keys(options)[0], is_folded: true };
    reader.choice(choice);
    return choice;
  });
  const { result = named, study, recovery } = reader.shown, trained = study ?? recovery;
  const isOfModel = (key) => !trained || its(key).trained.includes(trained);
  const keys = choices.map(({ name }) => reader.shown[name]);
  return { choices, keys, result: [result, ...Object.keys(site.results)].find(isOfModel) ?? result };
}

async function draw() {
  if (!afterHash()) history.replaceState(history.state, "", "#/");
  const turn = ++draws, reader = new Reader(), named = reader.view.pathname.slice(1);
  const page = own(site.pages, named) ? named : "", subjects = subjectsOf(page, reader), { keys } = subjects;
  reader.view.pathname = page;
  navigate(page, subjects.result);
  const name = [page || "story", ...keys.map((key) => key?.slice(0, KEY_CHARS))].join("-");
  const waits = document.querySelector(".waits");
  waits.textContent = own(TAKEN, name) ? "" : "Loading …";
  const shard = keys.every(Boolean) ? await dataOf(name).catch(() => undefined) : undefined;
  if (turn !== draws) return; // the address has changed meanwhile
  if (!shard) reader.notes.push(MISSING);
  waits.textContent = "";
  show(reader, page, subjects, shard);
}

function mountedIn(reader, { steps }, { player, picks }, { result }, isFirst) { // how to mount a picture or the story
  if (steps.length) {
    const leave = (_, what) => { location.hash = linkTo("lab", { result: what === "own" ? "" : result }); };
    return (root) => mountStory(root, { key: result, steps }, leave);
  }
  const data = { ...player }, { choices, frames, stage } = data;
  const options = Object.fromEntries((choices ?? []).map(({ name, title }) => [name, title]));
  if (choices) data.choice = reader.choice({ name: "reduction", options, default: choices[0].name });
  if (isFirst && frames.length > 1) data.start = reader.amount ?? data.start;
  if (stage)
    data.stage = { ...stage, caption: reader.parameters.get("caption")?.slice(0, site.maxLineChars) || stage.caption };
  data.link = isFirst ? reader.shown : null;
  const tell = (event, value) => go({ [event === "pick" ? picks : "result"]: value });
  return (root) => mountPlayer(root, data, picks || stage ? tell : null);
}

function choosers(all, shown) { // the folded ones behind the names of what is on show, the others in sight
  const row = (few) => element("div", { className: "choices" }, ...few.map((choice) => chooser(choice, shown[choice.name])));
  const folds = all.filter((choice) => choice.is_folded), inSight = all.filter((choice) => !choice.is_folded);
  const named = folds.filter(({ name, options }) => options[shown[name]]); // nothing may be there to compare with
  const names = named.map(({ name, options }) => `${name === "other" ? "beside " : ""}${options[shown[name]]}`);
  return [...(folds.length ? [folded("setup", names.join(" · "), row(folds))] : []), row(inSight)];
}

function show(reader, page, { result, choices, keys }, shard) {
  const focused = document.activeElement; // replacing the page's content takes the focus away
  const view = shard ? shard.views[shard.choices.map((choice) => reader.choice(choice)).join("|")] : {};
  const isStory = Boolean(view.steps?.length), blocks = isStory ? [{}] : view.blocks ?? [];
  const { name, recipe } = own(site.results, result) ?? {}, { shown, notes } = reader, { title: ofPage } = site.pages[page];
  const isNew = page !== drawn.page, isBelow = isStory || page === "present", isLocal = page === "lab" || !shard;
  const mounted = blocks.map((block, k) => mountedIn(reader, view, block, { result }, !k));
  const roots = blocks.map((_, k) => (isNew ? null : drawn.roots[k]) ?? element("div"));
  for (const root of drawn.roots.filter((before) => !roots.includes(before)))
    for (const content of [root.prunescopePlayer, root.prunescopeStory]) content?.finish();
  drawn = { ...drawn, page, isNew, roots, shown };
  document.body.className = `at-${page || "story"}`;
  const subject = choices[0]?.options[keys[0]] ?? name;
  document.title = [site.pages[page].name, subject, "Prunescope"].filter(Boolean).join(" · ");
  const title = element("h1", { tabIndex: -1, hidden: isStory }, view.heading || ofPage);
  const sentences = [...paragraphs(view.notes, "note"), ...paragraphs(view.sentences)];
  const text = element("div", { innerHTML: view.text ?? "" });
  for (const wide of text.querySelectorAll("math[display=block], table")) wide.tabIndex = 0; // it scrolls by itself
  const offered = (shard?.choices ?? []).filter(({ options }) => Object.keys(options).length > 1);
  const chosen = choosers([...choices, ...offered], shown);
  const [above, below] = ["cut", "grid"].includes(page) ? [sentences, []] : [[], sentences]; // before what stands still
  const sections = blocks.map(({ heading, sentences: ofBlock }, k) => element("section", {},
    ...(heading ? [element("h2", {}, heading)] : []), ...above, roots[k], ...(k ? [] : below), ...paragraphs(ofBlock)));
  const tables = (view.tables ?? []).map((table) => tabled(table.title, table.rows));
  const details = tables.length || view.text ? [folded("more", "Details", ...tables, text)] : [];
  document.querySelector("main").replaceChildren(title,
    ...(page === "present" ? [link("← Leave", "", { result })] : []),
    ...paragraphs(notes, "note"), ...(isBelow ? [] : chosen), ...sections, ...(isBelow ? chosen : []),
    ...(view.alone ? [element("p", {}, `${view.alone[0]} `, link(view.alone[1], "", { result, scene: 4 }))] : []),
    ...(blocks.length ? details : [...sentences, text]),
    ...(isLocal || page === "sentences" ? [element("p", {}, LOCAL), commands(site.local)] : []),
    ...(isLocal && recipe ? [element("h2", {}, `Compute again: ${name}`), commands(recipe)] : []),
    ...(page === "grid" ? listOfResults(reader) : []));
  history.replaceState(history.state, "", addressOf(reader.view));
  mounted.forEach((mount, k) => mount(roots[k])); // a story writes which of its scenes it shows
  if (isNew && drawn.isBegun) document.querySelector("main h1:not([hidden])").focus({ preventScroll: true });
  if (isNew) scrollTo(0, 0);
  else (document.getElementById(focused.id) ?? focused).focus({ preventScroll: true });
  drawn.isBegun = true;
  const section = document.getElementById(reader.parameters.get("section")), box = section?.closest("details");
  if (box) box.open = true;
  if (section) section.tabIndex = -1;
  section?.scrollIntoView();
  section?.focus({ preventScroll: true });
}

async function begin() {
  site = await dataOf("index");
  addEventListener("hashchange", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  const tell = () => parent.postMessage({ queryString: "", hash: location.hash }, "https://huggingface.co");
  if (parent !== window) globalThis.navigation?.addEventListener("currententrychange", tell);
  draw();
}

loading = script("assets/vega.js");
loading.catch(() => {}); // the player says so
const fail = () => { document.querySelector(".waits").textContent = MISSING; };
document.addEventListener("DOMContentLoaded", () => begin().catch(fail)); // the scripts of index.html have run by then
