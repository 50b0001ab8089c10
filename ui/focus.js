// Puts the focus of who uses keys where Streamlit would leave it behind, and shows who does not where the page begins
// anew. It is set up once in a window.

globalThis.prunescopeFocus ??= (() => {
  let byKeys = false;
  let held = null; // the control that had the focus last, and the heading of the page at that time
  let popover = null;

  const inStory = () => document.querySelector(".stMain [data-testid=stBidiComponentIsolated]")?.shadowRoot;
  const heading = () => document.querySelector(".stMain h1") ?? inStory()?.querySelector("h1");

  function hold({ target }) {
    const node = heading();
    held = { control: target, node, words: node?.textContent };
  }

  function place() { // where the focus belongs after a change of the page; null where it stays
    const [before, node] = [popover, heading()];
    popover = document.querySelector("[data-testid=stPopoverBody]");
    const { dataset } = document.activeElement;
    if (popover !== before && dataset.testid === "stPopoverButton") return popover; // it is the end of the document
    const lost = document.activeElement === document.body && held && !held.control.isConnected;
    const changed = node && (node !== held?.node || node.textContent !== held.words);
    return lost && changed ? node : null; // another page, or another state of the Lab
  }

  function follow() {
    const there = place();
    if (!there) return;
    if (byKeys) focusOn(there, { preventScroll: there === popover }); // which is being placed
    else if (there !== popover) {
      held = null; // once: from now on the page is scrolled by its reader alone
      document.querySelector(".stMain").scrollTo(0, 0);
    }
  }

  function focusOn(node, options) {
    node.tabIndex = -1;
    node.focus(options);
  }

  function skip(event) { // Streamlit's link leads to what our navigation is a part of
    const there = event.target.dataset?.testid === "stSkipToContent" && heading();
    if (!there) return;
    event.preventDefault();
    event.stopPropagation();
    focusOn(there);
  }

  addEventListener("keydown", () => { byKeys = true; }, true);
  addEventListener("pointerdown", () => {
    byKeys = false;
    if (!held?.control.isConnected) held = null; // what has gone before this press is not what is pressed
  }, true);
  addEventListener("focusin", hold);
  addEventListener("click", skip, true);
  new MutationObserver(() => { follow(); globalThis.prunescopeMark?.(); }).observe(document.body, { childList: true, subtree: true });
  return true;
})();
