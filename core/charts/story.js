// The story: a few scenes, one shown at a time, each a heading, one picture and at most two sentences. Its pictures are
// players (core/charts/player.js, which stands before this file in the same module). It needs no server either.
//
// data: {key: of the result, steps: as core/charts/story.py writes them}
// A step's player plays by itself if its `start` is null, and its `go` is a button that calls `tell("go", action)`. Its
// `asked` stands in the place of its heading and sentences until its picture has been played to the end. Rows that can be
// picked are a guess: the picked one is marked, and its `answer` comes with the heading.

const SCENE_KEYS = {
  ArrowLeft: "previous", PageUp: "previous", ArrowRight: "next", PageDown: "next", n: "notes", f: "full",
};
const SWIPE = 40; // pixels
const TURN = { duration: 450, easing: "ease" };

const STORY = `
<section class="scenes" aria-label="Story">
  <h1 class="title" tabindex="-1" aria-live="polite"></h1>
  <div class="stage"></div>
  <div class="below">
    <div class="said"></div>
    <div class="notes" role="note" hidden></div>
  </div>
  <nav aria-label="Scenes">
    <button type="button" data-do="previous" aria-label="Previous scene" title="Previous scene (←)">←</button>
    <span class="dots"></span>
    <button type="button" data-do="next" class="main" title="Next scene (→)">Next →</button>
    <button type="button" data-do="notes" title="What a speaker says (N)">Notes</button>
    <button type="button" data-do="full">Full screen (F)</button>
  </nav>
</section>`;

class Story {
  constructor(root) {
    this.element = element("div", { innerHTML: STORY });
    root.append(this.element);
    const find = (selector) => this.element.querySelector(selector);
    Object.assign(this, {
      frame: find(".scenes"), title: find(".title"), stage: find(".stage"), said: find(".said"), notes: find(".notes"),
      dots: find(".dots"), more: find("[data-do=notes]"), scenes: [],
      previous: find("[data-do=previous]"), next: find("[data-do=next]"), full: find("[data-do=full]"), isAnswered: false,
    });
    this.does = {
      previous: () => this.show(this.at - 1),
      next: () => this.show(this.at + 1),
      notes: () => { this.notes.hidden = !this.notes.hidden; },
      full: turnFullScreen,
    };
    for (const name of ["previous", "next", "full", "more"]) this[name].onclick = this.does[this[name].dataset.do];
    for (const kind of ["onpointerdown", "onpointerup", "onpointercancel"]) this.frame[kind] = (event) => this.swipe(event);
    const { signal } = (this.onPage = new AbortController());
    const full = () => this.frame.classList.toggle("full", Boolean(document.fullscreenElement));
    document.addEventListener("keydown", (event) => this.press(event), { signal });
    document.addEventListener("fullscreenchange", full, { signal });
  }

  get step() { return this.data.steps[this.at]; }
  get player() { return this.scenes[this.at]?.prunescopePlayer; }

  update(data, tell) {
    const isOther = data.key !== this.data?.key, isAsked = isOther && this.data && document.activeElement.matches("button");
    if (isOther) this.finishScenes();
    Object.assign(this, { data, tell });
    this.dots.replaceChildren(...data.steps.map((step) => step.asked ?? step).map(({ heading }, at) => element("button", {
      type: "button", ariaLabel: `Scene ${at + 1}: ${heading}`, title: heading, onclick: () => this.show(at),
    })));
    this.scenes.forEach((scene, at) => this.mount(at));
    const scene = Math.min(+viewed().searchParams.get("scene"), data.steps.length); // stories have had more
    this.show(isAsked ? 0 : data.steps[scene - 1] ? scene - 1 : (this.at ?? 0));
    if (isAsked) this.title.focus(); // a button asked for another story: the keys turn its scenes from the first on
  }

  mount(at) { // a scene's picture, or new data for it; hidden scenes are drawn as well
    const step = this.data.steps[at];
    const scene = (this.scenes[at] ??= element("div", { className: "scene", inert: true, innerHTML: step.drawing ?? "" }));
    if (!scene.isConnected) this.stage.insertBefore(scene, this.scenes.slice(at + 1).find(Boolean) ?? null);
    Object.assign(scene.dataset, { heading: step.heading, said: step.sentences.join(" ") }); // on paper
    if (!step.player) {
      unmount(scene, "prunescopePlayer");
      return scene;
    }
    const player = { ...read(step.player), inStory: true, onShow: (shown) => this.follow(step, shown) };
    for (const row of picksOf(player)) row.chosen = row.pick === this.guess;
    mountPlayer(scene, player, (name, value) => this.pick(value));
    return scene;
  }

  follow({ asked }, { frame, clock }) { // what is asked is answered once the picture has been played
    if (!asked || this.isPrinted) return;
    const was = this.isAnswered;
    this.isAnswered ||= clock.index === clock.last;
    frame.classList.toggle("fresh", !clock.index && !clock.playing && !this.isAnswered);
    if (this.isAnswered !== was && this.step) this.say();
  }

  show(at) {
    if (!this.data.steps[at]) return;
    const from = this.scenes[this.at], anew = at !== this.at, to = this.scenes[at] ?? this.mount(at);
    this.at = at;
    const { step } = this;
    const held = from?.contains(from.getRootNode().activeElement);
    for (const scene of this.scenes) if (scene) scene.inert = scene !== to;
    this.frame.classList.toggle("bare", !step.player && !step.drawing);
    this.say();
    this.more.hidden = !step.notes.length;
    this.notes.replaceChildren(...step.notes.map((text) => element("p", {}, text)));
    this.previous.disabled = !at;
    this.next.disabled = at === this.data.steps.length - 1;
    [...this.dots.children].forEach((dot, k) => { dot.ariaCurrent = k === at ? "step" : null; });
    const view = viewed(); // for reloads and returns; a file in a sandbox has no address
    view.searchParams.set("scene", at + 1);
    try { history.replaceState(history.state, "", addressOf(view)); } catch {}
    if (!anew) return;
    this.notes.hidden = true; // a speaker asks for each scene's
    if (this.frame.getBoundingClientRect().top < 0) this.frame.scrollIntoView(); // else a reader misses its title
    from?.prunescopePlayer?.clock.pause();
    this.player?.redraw();
    const moves = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (from && moves) for (const picture of to.querySelectorAll(".picture")) picture.animate({ opacity: [0, 1] }, TURN);
    if (step.player && step.player.start == null && step.player.frames.length > 1 && moves) this.player.clock.play();
    if (step.drawing) to.firstElementChild.classList.add("moving");
    if (held) this.title.focus({ preventScroll: true });
    this.prepare(at + 1);
  }

  prepare(at) { // the next scene; in a file, which may be printed, all of them
    embedding.then(() => whenIdle(() => {
      if (!this.element.isConnected) return;
      if (this.data.steps[at] && !this.scenes[at]) this.mount(at);
      const left = this.data.steps.findIndex((_, k) => !this.scenes[k]);
      if (!this.tell && left >= 0) this.prepare(left);
    }));
  }

  print(sheet, isBegun) { // pictures are fitted to the paper; unplayed ones show what their words are about
    const players = this.scenes.flatMap((scene) => scene?.prunescopePlayer ?? []);
    if (isBegun) Object.assign(this, { unplayed: players.filter(({ clock }) => !clock.amount), isPrinted: true });
    sheet.media = isBegun ? "all" : "print";
    for (const { clock, data } of this.unplayed) clock.seek(isBegun ? clock.at(data.still) : 0);
    this.isPrinted = isBegun;
    for (const { clock } of players) clock.emit();
  }

  say() { // the sentences, and the step's button
    const { step, isAnswered } = this, { heading, sentences } = (!isAnswered && step.asked) || step;
    if (this.title.textContent !== heading) this.title.textContent = heading; // which is read out
    const guessed = step.asked && isAnswered && this.player && picksOf(this.player.data).find(({ chosen }) => chosen);
    const lines = [guessed?.answer, ...sentences].filter(Boolean).map((text) => element("p", {}, text));
    const onclick = () => this.tell("go", step.go.action);
    if (step.go && this.tell) lines.push(element("button", { type: "button", className: "go", onclick }, step.go.label));
    this.said.replaceChildren(...lines);
    this.said.classList.toggle("asks", Boolean(step.asked) && !isAnswered);
  }

  pick(value) {
    this.guess = value;
    this.scenes.forEach((scene, at) => this.mount(at)); // which mark it
    this.say();
  }

  press(event) {
    const [target] = event.composedPath(), key = event.key.length > 1 ? event.key : event.key.toLowerCase();
    const isHere = this.frame.contains(target) || target.matches?.("body, main, .stMain");
    if (!isHere || target.matches("select") || event.altKey || event.ctrlKey || event.metaKey) return;
    if (key in STEPPING) return this.player?.press(event, STEPPING);
    const action = SCENE_KEYS[key], steps = { previous: -1, next: 1 }[action];
    if (!action || (steps && !this.data.steps[this.at + steps])) return; // beyond the ends the page may scroll
    event.preventDefault();
    this.does[action]();
  }

  swipe({ type, pointerType, clientX, clientY, target }) {
    const { began } = this;
    this.began = type === "pointerdown" && pointerType === "touch" && !target.matches("[type=range]") ? [clientX, clientY] : null;
    if (type !== "pointerup" || !began) return;
    const [across, down] = [clientX - began[0], clientY - began[1]];
    if (Math.abs(across) > Math.max(SWIPE, 2 * Math.abs(down))) this.show(this.at - Math.sign(across));
  }

  finishScenes() {
    for (const scene of this.scenes.splice(0).filter(Boolean)) {
      scene.prunescopePlayer?.finish();
      scene.remove();
    }
    Object.assign(this, { at: undefined, guess: undefined, isAnswered: false });
  }

  finish() {
    this.onPage.abort();
    this.finishScenes();
    this.element.remove();
  }
}

const picksOf = ({ views }) => Object.values(views).flatMap(({ datasets, usermeta }) => datasets[usermeta.picks] ?? []);

const whenIdle = globalThis.requestIdleCallback ?? setTimeout;

// Mounts a story, or gives new data to the one in `root`, which stays at its scene. Returns the function that ends it.
export function mountStory(root, data, tell = null) {
  (root.prunescopeStory ??= new Story(root)).update(data, tell);
  return () => unmount(root, "prunescopeStory");
}
