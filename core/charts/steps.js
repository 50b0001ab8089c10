// Moves the sentences of the three steps (core/charts/steps.css) when they are first seen, and again on request.

export default ({ parentElement }) => {
  const steps = parentElement.querySelector(".steps");
  const move = () => {
    steps.classList.remove("moving");
    steps.getBoundingClientRect(); // without this, the browser takes both changes for none
    steps.classList.add("moving");
  };
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    move();
  }, { threshold: 0.5 });
  seen.observe(steps);
  steps.querySelector(".again").onclick = move;
  return () => seen.disconnect();
};
