// Inside the page of a site that shows this one, such as the Hub's, tells it what is on show, so that its own address can
// hold that; and goes where such an address leads. It is set up once in a window.

globalThis.prunescopeFrame ??= (() => {
  const [, asked] = location.hash.match(/^#\/(\w*(\?.*)?)$/) ?? []; // nothing but a page of this app
  if (asked !== undefined) return location.replace(asked || "./");
  const named = () => `#/${location.pathname.split("/").pop()}${location.search}`;
  const tell = () => parent.postMessage({ queryString: "", hash: named() }, "https://huggingface.co");
  if (parent === window) return true;
  globalThis.navigation?.addEventListener("currententrychange", tell);
  return tell() ?? true;
})();
