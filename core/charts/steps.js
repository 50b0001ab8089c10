// Moves the sentences of the three steps (core/charts/steps.css) when they are first seen.

export default ({ parentElement }) => {
  const steps = parentElement.querySelector(".steps");
  const see = ([entry]) => entry.isIntersecting && steps.classList.add("moving");
  const seen = new IntersectionObserver(see, { threshold: 0.5 });
  seen.observe(steps);
  return () => seen.disconnect();
};
