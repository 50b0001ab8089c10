// Shows the tables of a whole grid, and asks the page to open a result, which keeps the visit; with a modifier key the
// browser opens the link itself.

export default ({ data, parentElement, setTriggerValue }) => {
  const place = parentElement.querySelector(".grid");
  if (place.shown !== data.html) place.innerHTML = data.html;
  place.shown = data.html;
  place.onclick = (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    setTriggerValue("opened", link.getAttribute("href"));
  };
};
