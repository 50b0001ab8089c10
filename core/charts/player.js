// The player: pictures that Altair specifies, moved through the pruning amounts by setting their `frame` parameter.
// Vega draws; this file keeps time, listens to buttons and keys, and fits the pictures to their boxes. It needs no
// server: it works in a Streamlit component (the default export) and in a plain HTML file (mountPlayer).
//
// data: `title`, `frames`, `style`, `axis` and `views` or `choices` as core/charts/view.py writes them, `layout` as
// Layout.css does, and {
//   group: players of one group move together,
//   start: the amount shown first, with which nothing plays by itself, or null; autoplay: whether it plays at once,
//   choice: the name of the one shown first of `choices`, which the bar offers,
//   link: {NAME: value}, the parameters of a link to what is shown besides amount and choice, or null for no link,
//   stage: {heading, caption, hint, key, keys} for a projector, listening to the keys of the whole page, or null; the
//     arrow keys step from the result of that key through the results of those keys,
//   inStory: whether it is the picture of a scene (core/charts/story.js), which has the arrow keys,
//   onShow: called with the player whenever it has shown a frame,
//   vega: the URL of the Vega bundle, or null if it is loaded already,
// }

const SPEEDS = [["½×", 1000], ["1×", 500], ["2×", 250], ["4×", 125]]; // milliseconds per frame
const LAST_FRAME_FACTOR = 3; // the last frame stays this many times as long before the loop starts over
const CLOCKS = (globalThis.prunescopeClocks ??= new Map()); // by the names of the groups

function element(tag, properties, ...children) { // names may come from a visitor: as text, never as HTML
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// ---------------------------------------------------------------- the address of the view on show

// The static edition is one page, with the app's `/layers?result=…` after the `#` of its address.
const afterHash = () => location.hash.startsWith("#/");

const viewed = () => new URL(afterHash() ? `http://site${location.hash.slice(1)}` : location.href);
const addressOf = (view) => (afterHash() ? `#${view.pathname}${view.search}${view.hash}` : view.href);

// ---------------------------------------------------------------- time: one clock for each group of synced players

class Clock {
  constructor(group) {
    CLOCKS.set(group, this);
    Object.assign(this, { group, players: new Set(), amounts: [], index: 0, step: 500, loop: true, timer: null });
    this.mayAutoplay = !matchMedia("(prefers-reduced-motion: reduce)").matches; // until the first player has joined
  }

  get playing() { return this.timer !== null; }
  get amount() { return this.amounts[this.index] ?? 0; }
  get last() { return Math.max(this.amounts.length - 1, 0); }
  at(amount) { return Math.max(this.amounts.findLastIndex((earlier) => earlier <= amount), 0); }
  emit() { for (const player of this.players) player.show(); }

  join(player) {
    const { autoplay, start } = player.data, first = !this.amounts.length;
    this.players.add(player);
    if (first) this.loop = !player.data.inStory; // a story plays once
    this.update();
    if (first && start != null) this.seek(this.at(start));
    else if (autoplay && this.mayAutoplay) this.play();
    this.mayAutoplay = false;
  }

  leave(player) { // the clock waits a moment: a page that is drawn anew mounts its players again at once
    this.players.delete(player);
    if (this.players.size) return this.update(); // without this player's amounts
    setTimeout(() => {
      if (this.players.size) return;
      this.pause();
      if (CLOCKS.get(this.group) === this) CLOCKS.delete(this.group);
    }, 500);
  }

  update() { // players of different amounts share their union; a clock that rests at the end follows a growing result
    const { amount, amounts, index, last, playing } = this, follows = amounts.length && index === last && !playing;
    const all = [...this.players].flatMap((player) => player.data.frames.map((frame) => frame.amount));
    this.amounts = [...new Set(all)].sort((a, b) => a - b);
    this.index = follows ? this.last : this.at(amount);
    this.emit();
  }

  seek(index) {
    const count = this.last + 1;
    this.index = this.loop ? (index + count) % count : Math.min(Math.max(index, 0), this.last);
    this.emit();
  }

  play() {
    if (!this.loop && this.index === this.last) this.index = 0;
    this.wait();
    this.emit();
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this.emit();
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.loop && this.index === this.last) return this.pause();
      this.seek(this.index + 1);
      this.wait();
    }, this.step * (this.index === this.last ? LAST_FRAME_FACTOR : 1));
  }
}

// ---------------------------------------------------------------- pictures

let loading; // Vega, once a page
async function embedder(url) {
  if (!globalThis.vegaEmbed) await (loading ??= import(new URL(url, document.baseURI).href));
  return globalThis.vegaEmbed;
}

function themeOf(box) { // the colours and the typeface of the page around the player, which player.css names
  const style = getComputedStyle(box), names = ["text", "line", "accent", "background", "font"];
  const [red, green, blue] = style.color.match(/[\d.]+/g).map(Number);
  const values = names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
  return { ...Object.fromEntries(values), dark: red + green + blue > 382 };
}

function filled(style, values, size) { // fills in the table of core/charts/theme.py
  const text = JSON.stringify(style).replace(/"\$(\w+)"/g, (_, name) => JSON.stringify(values[name]));
  return JSON.parse(text.replace(/"([\d.]+)em"/g, (_, length) => length * size));
}

function tooltipOptions({ dark, font }, size) { // the tooltip stands outside the player: it needs a style of its own
  const style = `font: ${size}px/1.5 ${font.replaceAll('"', "'")}`;
  const formatTooltip = (values, sanitize) => {
    const pairs = Object.entries(values).filter(([, value]) => value !== "");
    const rows = pairs.map(([title, value]) => `${sanitize(title)}: <b>${sanitize(value)}</b>`);
    return `<div style="${style}">${rows.join("<br>")}</div>`;
  };
  return { theme: dark ? "dark" : "light", formatTooltip };
}

const pen = document.createElement("canvas").getContext("2d");

function wrapped(texts, width, font) { // Vega truncates long lines: break them between words
  pen.font = font;
  return texts.flatMap((text) => text.split(" ").reduce((lines, word) => {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    return lines.length && pen.measureText(longer).width > width ? [...lines, word] : [...lines.slice(0, -1), longer];
  }, []));
}

let embedding = Promise.resolve(); // pictures are embedded one after another, so that the first is seen early

class Picture { // one Vega view in the grid area of its name
  constructor(name, player) {
    const box = element("div", { className: `picture ${name}`, role: "img" });
    const group = { className: "rows-to-pick", role: "radiogroup", ariaLabel: "Selected layer", hidden: true };
    const rows = element("div", group);
    box.style.gridArea = rows.style.gridArea = name;
    player.grid.append(box, rows);
    Object.assign(this, { name, player, box, rows, frame: 0, observer: new ResizeObserver(() => this.refresh()) });
    this.observer.observe(box);
  }

  refresh() { // a template that is drawn already takes new data and sizes; a different template replaces it without a gap
    const { views, theme, data } = this.player, { clientWidth: wide, clientHeight: high } = this.box;
    if (!views || !wide || !high) return; // a layout may leave a picture no room
    if (this.view && this.box.closest("[inert]")) return; // a hidden scene may change its size again
    const { datasets, title, usermeta, ...template } = views[this.name];
    const size = Math.round(parseFloat(getComputedStyle(this.box).fontSize)); // of all text, set by the layout
    const config = filled(data.style, theme, size), room = wide - 2 * config.padding;
    template.title = wrapped(title, room, `bold ${config.title.fontSize}px ${theme.font}`);
    const wanted = JSON.stringify([template, config]);
    Object.assign(this, { datasets, picks: usermeta.picks });
    if (wanted === this.wanted) return this.draw();
    this.wanted = wanted;
    embedding = embedding
      .then(() => this.embed(wanted, template, config))
      .catch((error) => this.player.fail(error))
      .then(() => new Promise(requestAnimationFrame));
  }

  async embed(wanted, template, config) {
    const embed = await embedder(this.player.data.vega);
    if (wanted !== this.wanted) return; // superseded meanwhile
    const { datasets, frame, box: { clientWidth: width, clientHeight: height } } = this;
    const values = { frame, margin: Math.round(3.3 * config.axis.labelFontSize) };
    const holder = element("div", { className: "holder coming", ariaHidden: "true" }); // the box has the words
    this.box.append(holder);
    const spec = {
      ...template, width, height, autosize: { type: "fit", contains: "padding" }, datasets: structuredClone(datasets),
      params: template.params.map((param) => ({ ...param, value: values[param.name] ?? param.value })),
    };
    const result = await embed(holder, spec, {
      actions: false, defaultStyle: false, renderer: "svg",
      ast: !this.player.data.vega, // pages with a policy against strangers' scripts may not compile formulas
      config: { ...config, title: { ...config.title, limit: width } },
      tooltip: tooltipOptions(this.player.theme, config.title.fontSize),
    });
    if (wanted !== this.wanted) return result.finalize(), holder.remove(); // a newer one is on its way
    result.view.addEventListener("click", (event, mark) => {
      if (mark?.datum?.pick !== undefined) this.player.tell?.("pick", mark.datum.pick);
    });
    this.finish();
    Object.assign(this, { result, holder, view: result.view, drawn: datasets, room: `${[width, height]}` });
    holder.classList.remove("coming");
    return this.draw();
  }

  async draw(frame = this.frame) { // skips the frames that come while Vega is busy
    Object.assign(this, { frame, stale: true });
    if (!this.view || this.busy) return;
    this.busy = true;
    while (this.view && this.stale) {
      this.stale = false;
      const { view, datasets, drawn, frame, room, box: { clientWidth: wide, clientHeight: high } } = this;
      const fresh = datasets === drawn ? {} : structuredClone(datasets);
      const isDrawn = (name) => this.result.vgSpec.data.some((data) => data.name === name); // Vega drops datasets without marks
      for (const [name, rows] of Object.entries(fresh)) if (isDrawn(name)) view.data(name, rows);
      Object.assign(this, { drawn: datasets, room: `${[wide, high]}` });
      view.signal("frame", frame);
      const force = { force: true }; // also if the plot alone happens to be as large as the box
      if (wide && (this.room !== room || datasets !== drawn)) // a new layout takes most of the time of a frame
        view.signal("width", wide, force).signal("height", high, force);
      await view.runAsync();
    }
    // Vega ties the legend's gradient to the page's address, which changes while the picture stays.
    for (const part of this.holder?.querySelectorAll("[fill^=url]") ?? [])
      part.setAttribute("fill", part.getAttribute("fill").replace(/^url\(.*#/, "url(#"));
    if (this.view && this.picks && this.player.tell) this.offerRows(); // a file has nobody to tell
    this.busy = false;
  }

  offerRows() { // a button over each row that can be picked, for keys and screen readers; the mouse reaches the marks below
    const rows = this.datasets[this.picks].toReversed(), y = this.view.scale("y"), top = this.view.origin()[1];
    const onchange = ({ target }) => this.player.tell("pick", target.value);
    const button = () => element("input", { type: "radio", name: "pick", onchange });
    if (this.rows.children.length !== rows.length) this.rows.replaceChildren(...rows.map(button));
    this.rows.hidden = false;
    for (const [k, { pick, chosen, name, v, y: low, y2: high }] of rows.entries()) { // while they stay, so does the focus
      const { style } = Object.assign(this.rows.children[k], { value: pick, checked: chosen });
      Object.assign(style, { top: `${top + y(high)}px`, height: `${y(low) - y(high)}px` });
      if (!this.player.clock.playing) this.rows.children[k].ariaLabel = `${name}: ${v[this.frame]}`;
    }
  }

  finish() {
    this.result?.finalize();
    this.holder?.remove();
    this.view = null;
  }

  end() {
    this.observer.disconnect();
    this.wanted = null;
    this.finish();
    this.rows.remove();
    this.box.remove();
  }
}

// ---------------------------------------------------------------- numbers

function written(value) { // as the pictures write it
  if (value == null) return "undefined";
  return typeof value === "number" ? value.toFixed(2).replace(/^-(?!0\.00$)/, "−").replace("-", "") : value;
}

function numbersOf({ datasets, usermeta: { numbers } }, frame) { // {label of a row: Map of a column's title to its text}
  const rows = new Map();
  for (const datum of datasets[numbers.dataset]) {
    if ("k" in datum && datum.k !== frame) continue;
    const label = numbers.row ? String(datum[numbers.row]) : "", cells = rows.get(label) ?? new Map();
    for (const [title, field] of Object.entries(numbers.values)) {
      const value = Array.isArray(datum[field]) ? datum[field][frame] : datum[field];
      cells.set(String(numbers.column ? datum[numbers.column] : title), written(value));
    }
    rows.set(label, Object.assign(cells, { pick: datum.pick, chosen: datum.chosen }));
  }
  return [...rows];
}

function valuesOf(view, frame) { // the values of a view in words; for a matrix, its diagonal
  const { numbers } = view.usermeta;
  return (numbers ? numbersOf(view, frame) : []).map(([label, cells]) => {
    const pairs = cells.has(label) ? [[label, cells.get(label)]] : [...cells];
    const text = pairs.length === 1 ? pairs[0][1] : pairs.map((pair) => pair.join(" ")).join(", ");
    return label ? `${numbers.named} ${label}: ${text}`.trim() : text;
  }).join("; ");
}

function tableOf(view, frame, tell) { // the name of a row that can be picked is a button
  const name = view.title.join(" ").trim(), rows = numbersOf(view, frame), { named } = view.usermeta.numbers;
  const columns = [...new Set(rows.flatMap(([, cells]) => [...cells.keys()]))];
  const head = (text, scope) => element("th", { scope }, text);
  const line = (first, cells) => element("tr", {}, ...(rows.some(([label]) => label) ? [first] : []), ...cells);
  const pickable = (text, { pick, chosen }) => (tell && pick !== undefined
    ? element("button", { type: "button", value: pick, ariaPressed: chosen, onclick: () => tell("pick", pick) }, text)
    : text);
  const body = rows.map(([label, cells]) => (
    line(head(pickable(`${named} ${label}`.trim(), cells), "row"),
      columns.map((column) => element("td", {}, cells.get(column) ?? "")))
  ));
  const top = element("thead", {}, line(element("td"), columns.map((column) => head(column, "col"))));
  const table = element("table", {}, element("caption", {}, name), top, element("tbody", {}, ...body));
  return element("div", { tabIndex: 0, role: "region", ariaLabel: name }, table); // it scrolls by itself where it is wide
}

// ---------------------------------------------------------------- the player

const icon = (path) => `<svg viewBox="0 0 16 16" width="16" height="16" fill="currentColor" aria-hidden="true"><path d="${path}"/></svg>`;
const PLAY = icon("M3.5 1.5v13l10-6.5z");
const PAUSE = icon("M3 1.5h3.5v13H3zM9.5 1.5H13v13H9.5z");
const BACK = icon("M13 1.5v13L5 8zM2.5 1.5h2v13h-2z");
const FORWARD = icon("M3 1.5v13L11 8zM11.5 1.5h2v13h-2z");

const LINK = icon("M6.6 11.6 5 13.2a1.6 1.6 0 0 1-2.2-2.2l3-3A1.6 1.6 0 0 1 8 8l1.1-1.1a3.1 3.1 0 0 0-4.4 0l-3 3a3.1 3.1 0 0 0 4.4 4.4l1.6-1.6zM9.4 4.4 11 2.8A1.6 1.6 0 0 1 13.2 5l-3 3A1.6 1.6 0 0 1 8 8L6.9 9.1a3.1 3.1 0 0 0 4.4 0l3-3a3.1 3.1 0 0 0-4.4-4.4L8.3 3.3z");
const DONE = icon("M6.2 13.4 1.3 8.5l1.8-1.8 3.1 3.1 6.7-6.7 1.8 1.8z");
const FULL = icon("M1.5 1.5h5v2h-3v3h-2zM9.5 1.5h5v5h-2v-3h-3zM1.5 9.5h2v3h3v2h-5zM12.5 9.5h2v5h-5v-2h3z");

const HTML = `
<div class="player" role="group" tabindex="0">
  <div class="words">
    <h2 class="heading" hidden></h2>
    <p class="readout"><output><b></b> <span></span></output></p>
  </div>
  <div class="pictures">
    <div class="bar">
      <button type="button" data-do="back" aria-label="Previous step" title="Previous step (,)">${BACK}</button>
      <button type="button" data-do="toggle" class="main"></button>
      <button type="button" data-do="forward" aria-label="Next step" title="Next step (.)">${FORWARD}</button>
      <input type="range" min="0" step="1">
      <select data-choose="choice" aria-label="Sentence vector" title="Sentence vector" hidden></select>
      <select data-choose="speed" aria-label="Speed" title="Speed">${SPEEDS.map(([name, step]) => `<option value="${step}">${name}</option>`).join("")}</select>
      <button type="button" data-do="link" hidden></button>
      <button type="button" data-do="full" aria-label="Full screen" title="Full screen (F)" hidden>${FULL}</button>
    </div>
  </div>
  <details class="numbers">
    <summary>Numbers as a table</summary>
    <p></p>
    <div class="tables"></div>
  </details>
  <div class="foot" hidden>
    <p class="caption" hidden></p>
    <div class="side"><p class="hint" hidden></p></div>
  </div>
</div>`;

const STEPPING = { ",": "back", ".": "forward", " ": "toggle" };
const KEYS = { ...STEPPING, ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last" };
const TURNING = { ArrowUp: "previous", PageUp: "previous", ArrowDown: "next", PageDown: "next" };
const STAGE_KEYS = { ...KEYS, ...TURNING, f: "full" };
const TAKERS = "input:not([type=range]), textarea, select, [contenteditable=true], .tables"; // these take the keys themselves
const turnFullScreen = () =>
  (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
const QUIET_AFTER = 3000; // milliseconds without the mouse, after which a stage hides its controls

class Player {
  constructor(root) {
    this.element = element("div", { innerHTML: HTML });
    root.append(this.element);
    const find = (selector) => this.element.querySelector(selector);
    Object.assign(this, {
      frame: find(".player"), grid: find(".pictures"), bar: find(".bar"), words: find(".words"), output: find("output"),
      amountText: find("b"), detail: find("output span"), scrub: find("input"), choose: find("[data-choose=choice]"),
      speed: find("[data-choose=speed]"), heading: find(".heading"), caption: find(".caption"), hint: find(".hint"),
      foot: find(".foot"), side: find(".side"), numbers: find(".numbers"), pictures: [],
    });
    const buttons = [...this.element.querySelectorAll("button")].map((button) => [button.dataset.do, button]);
    this.buttons = Object.fromEntries(buttons);
    this.listen();
    this.offerLink();
  }

  get index() { return Math.max(this.data.frames.findLastIndex((frame) => frame.amount <= this.clock.amount), 0); }
  get choice() { return this.data.choices?.find((choice) => choice.name === this.chosen) ?? this.data.choices?.[0]; }
  get views() { return this.data && (this.choice ?? this.data).views; }

  update(data, tell) {
    if (data.choice !== this.data?.choice) this.chosen = data.choice;
    if (data.stage?.key !== this.data?.stage?.key) this.turned = null;
    Object.assign(this, { data, tell, theme: themeOf(this.frame) });
    this.frame.ariaLabel = `${data.title}. Space plays and pauses, comma and full stop step.`;
    this.frame.className = `player ${data.layout.name}`;
    this.scrub.ariaLabel = data.axis;
    for (const name of ["wide", "narrow"]) this.grid.style.setProperty(`--${name}`, data.layout[name]);
    this.bar.hidden = this.words.hidden = !data.frames[0]?.name; // a picture that never moves
    this.buttons.link.hidden = !data.link || !navigator.clipboard; // insecure pages have no clipboard
    this.choose.hidden = !(data.choices?.length > 1);
    this.choose.replaceChildren(...(data.choices ?? []).map(({ name, title }) => new Option(title, name)));
    if (data.choices) this.choose.value = this.choice.name;
    this.setStage(data.stage);
    this.arrange();
    const clock = CLOCKS.get(data.group) ?? new Clock(data.group);
    if (clock === this.clock) clock.update();
    else {
      this.clock?.leave(this);
      (this.clock = clock).join(this);
    }
    this.redraw();
  }

  arrange() { // a picture for each view
    const names = Object.keys(this.views);
    for (const picture of this.pictures) if (!names.includes(picture.name)) picture.end();
    this.pictures = names.map((name) => this.pictures.find((picture) => picture.name === name) ?? new Picture(name, this));
  }

  redraw() {
    for (const picture of this.pictures) picture.refresh();
    this.describe();
    this.tabulate(true);
  }

  describe() { // with its values while it rests
    for (const { name, box } of this.pictures) {
      const view = this.views[name], values = this.clock.playing ? "" : valuesOf(view, this.index);
      box.ariaLabel = [view.title.join(", "), values].filter(Boolean).join(". ");
    }
  }

  tabulate(anew = !this.clock.playing) { // the table rests while the player plays, and names its amount
    if (!this.numbers.open || !anew) return;
    const [says, tables] = this.numbers.querySelectorAll("p, div.tables");
    says.textContent = [this.amountText.textContent, this.data.frames[this.index].detail].filter(Boolean).join(" · ");
    const tabulated = Object.values(this.views).filter((view) => view.usermeta.numbers);
    const held = tables.getRootNode().activeElement, { value } = held?.closest?.(".tables") ? held : {};
    tables.replaceChildren(...tabulated.map((view) => tableOf(view, this.index, this.tell)));
    if (value) tables.querySelector(`button[value="${CSS.escape(value)}"]`)?.focus();
  }

  offerLink(icon = LINK, label = "Copy a link to this view") {
    Object.assign(this.buttons.link, { innerHTML: icon, ariaLabel: label, title: label });
  }

  setStage(stage) {
    for (const name of ["heading", "caption", "hint"]) {
      this[name].textContent = stage?.[name] ?? "";
      this[name].hidden = !stage?.[name];
    }
    this.buttons.full.hidden = this.foot.hidden = !stage;
    (stage ? this.side : this.grid).append(this.bar); // beside the caption, which it would cover
    this.numbers.hidden = Boolean(stage) || this.data.inStory || !Object.values(this.views).some((view) => view.usermeta.numbers);
    if (Boolean(stage) === Boolean(this.onPage)) return;
    this.onPage?.abort();
    this.onPage = stage ? new AbortController() : null;
    if (!stage) return;
    const { signal } = this.onPage;
    document.addEventListener("keydown", (event) => this.press(event, STAGE_KEYS), { signal });
    for (const name of ["pointermove", "pointerdown"]) document.addEventListener(name, () => this.wake(), { signal });
    for (const select of [this.choose, this.speed]) select.addEventListener("change", () => select.blur(), { signal });
    for (const button of Object.values(this.buttons)) // only mouse clicks have a detail
      button.addEventListener("click", ({ detail }) => detail && button.blur(), { signal }); // the stage takes the keys
    this.wake();
  }

  wake() {
    this.frame.classList.remove("quiet");
    clearTimeout(this.sleep);
    this.sleep = setTimeout(() => this.frame.classList.add("quiet"), QUIET_AFTER);
  }

  show() {
    const { clock, buttons, index } = this, { name, detail } = this.data.frames[index];
    this.amountText.textContent = name;
    this.detail.textContent = this.failed ?? detail;
    this.output.ariaLive = clock.playing ? "off" : "polite";
    Object.assign(this.scrub, { max: clock.last, value: clock.index, ariaValueText: name });
    this.speed.value = clock.step;
    const label = clock.playing ? "Pause" : "Play";
    if (buttons.toggle.ariaLabel !== label) {
      buttons.toggle.innerHTML = clock.playing ? PAUSE : PLAY;
      Object.assign(buttons.toggle, { ariaLabel: label, title: `${label} (space)` });
    }
    for (const picture of this.pictures) picture.draw(index);
    this.describe();
    this.tabulate();
    this.data.onShow?.(this);
  }

  listen() {
    const go = (index) => (this.clock.pause(), this.clock.seek(index));
    this.does = {
      back: () => go(this.clock.index - 1),
      forward: () => go(this.clock.index + 1),
      first: () => go(0),
      last: () => go(this.clock.last),
      toggle: () => (this.clock.playing ? this.clock.pause() : this.clock.play()),
      link: () => this.copyLink(),
      full: turnFullScreen,
      previous: () => this.turn(-1),
      next: () => this.turn(1),
    };
    for (const [name, button] of Object.entries(this.buttons)) button.onclick = this.does[name];
    this.scrub.oninput = () => go(+this.scrub.value);
    this.speed.onchange = () => { this.clock.step = +this.speed.value; this.clock.emit(); };
    this.choose.onchange = () => { this.chosen = this.choose.value; this.arrange(); this.show(); this.redraw(); };
    this.frame.onkeydown = (event) =>
      this.press(event, this.data.inStory && event.target !== this.scrub ? STEPPING : KEYS);
    this.numbers.ontoggle = () => this.tabulate(true);
  }

  press(event, keys) {
    const [target] = event.composedPath(), action = keys[event.key.length > 1 ? event.key : event.key.toLowerCase()];
    if (event.altKey || event.ctrlKey || event.metaKey || target.closest?.(TAKERS) || !action) return;
    if (event.key === " " && target.closest?.("button, a, summary")) return; // the element takes this key itself
    event.preventDefault();
    event.stopPropagation();
    this.does[action]();
  }

  turn(step) { // a second key may come before the page has followed the first
    const { keys, key } = this.data.stage, place = keys.indexOf(this.turned ?? key) + step;
    this.tell?.("turn", this.turned = keys.at(place % keys.length));
  }

  async copyLink() {
    const view = viewed();
    const parameters = { ...this.data.link, amount: this.data.frames[this.index].amount };
    if (this.choice) parameters.reduction = this.choice.name;
    for (const [name, value] of Object.entries(parameters)) if (value !== "") view.searchParams.set(name, value);
    await navigator.clipboard.writeText(new URL(addressOf(view), location.href).href);
    this.offerLink(DONE, "Link copied");
    setTimeout(() => this.offerLink(), 1500);
  }

  fail(error) {
    console.warn("Prunescope: the pictures cannot be drawn:", error);
    this.failed = "The pictures cannot be drawn here: the drawing library did not load. Reload the page.";
    this.detail.textContent = this.failed;
  }

  finish() {
    this.setStage(null);
    this.clock?.leave(this);
    for (const picture of this.pictures) picture.end();
    this.element.remove();
  }
}

// Mounts a player, or gives new data to the one in `root`, which keeps its amount and choice, and whether it plays.
// Returns the function that ends it. `tell` is called with ("turn", key) when a stage asks for the next or the previous
// result, and with ("pick", value) when a mark is clicked whose data have a `pick`.
export function mountPlayer(root, data, tell = null) {
  (root.prunescopePlayer ??= new Player(root)).update(read(data), tell);
  return () => unmount(root, "prunescopePlayer");
}

function unmount(root, name) {
  root[name]?.finish();
  root[name] = null;
}

// A view is JSON, which the server writes once for all visitors; a scene of the story has read it already.
const parsed = (view) => (typeof view === "string" ? JSON.parse(view) : view);
const read = ({ views = {}, choices, ...more }) => ({
  ...more, choices: choices?.map(read),
  views: Object.fromEntries(Object.entries(views).map(([name, view]) => [name, parsed(view)])),
});

// core/charts/story.js follows in the same module.
export default ({ parentElement, data, setTriggerValue }) => (data.steps
  ? mountStory(parentElement, data, setTriggerValue)
  : mountPlayer(parentElement, data, setTriggerValue));
