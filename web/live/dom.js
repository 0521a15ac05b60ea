/** Small helpers for the document. */

/** @param {string} id @returns {any} the element, which must be there */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no element #${id}.`);
  return element;
}

let timer = 0;

/** A short word in passing, shown and read aloud. @param {string} text */
export function toast(text) {
  const element = byId("toast");
  element.textContent = text;
  element.classList.add("shown");
  clearTimeout(timer);
  timer = setTimeout(() => {
    element.classList.remove("shown");
    element.textContent = "";
  }, 4_000);
}

/** Remember a small choice for the next visit, where the browser allows it. @param {string} name @param {string} value */
export function keep(name, value) {
  try {
    localStorage.setItem(`streamer.${name}`, value);
  } catch {
    // A browser that keeps nothing: the page works all the same.
  }
}

/** @param {string} name @returns {string | null} */
export function kept(name) {
  try {
    return localStorage.getItem(`streamer.${name}`);
  } catch {
    return null;
  }
}
