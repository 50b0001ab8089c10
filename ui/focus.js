// Puts the focus of who uses keys where Streamlit would leave it behind. It is set up once in a window.

globalThis.prunescopeFocus ??= (() => {
  let byKeys = false;
  let held = null; // the control that had the focus last, and the heading of the page at that time
  let popover = null;

  const heading = () => document.querySelector(".stMain h1");

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
    if (!byKeys || !there) return;
    there.tabIndex = -1;
    there.focus({ preventScroll: there === popover }); // which is being placed
  }

  addEventListener("keydown", () => { byKeys = true; }, true);
  addEventListener("pointerdown", () => { byKeys = false; }, true);
  addEventListener("focusin", hold);
  new MutationObserver(follow).observe(document.body, { childList: true, subtree: true });
  return true;
})();
