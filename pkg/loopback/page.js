
// A browser lets a script close a window only where that has shown nothing but this page
// (https://html.spec.whatwg.org/multipage/nav-history-apis.html#script-closable). Elsewhere nothing is promised.
(() => {
  if (history.length > 1) return;
  const closing = document.getElementById("closing");
  const byHand = closing.textContent;
  const keep = document.createElement("button");
  keep.type = "button";
  keep.textContent = "Keep it open";
  closing.textContent = "This window closes in 5 seconds.";
  closing.append(keep);
  const timer = setTimeout(() => {
    // What is read if the browser does not close it after all.
    closing.textContent = byHand;
    window.close();
  }, 5000);
  keep.addEventListener("click", () => {
    clearTimeout(timer);
    closing.textContent = byHand;
  });
})();
