/** Files that are dropped on the page, or pasted into it. */

/** Hands on the first file of each drop or paste. */
export class Dropping {
  /** @param {HTMLElement} area gets the class "dropping-now" while a file is over it @param {(file: File) => void} take */
  constructor(area, take) {
    const show = (on) => area.classList.toggle("dropping-now", on);
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    area.addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault(); // or the browser would open the file instead
      show(true);
    });
    area.addEventListener("dragleave", (event) => { if (!event.relatedTarget) show(false); });
    area.addEventListener("drop", (event) => {
      show(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      const [file] = event.dataTransfer.files;
      if (file) take(file);
    });
    addEventListener("paste", (event) => {
      const [file] = event.clipboardData?.files ?? [];
      if (file) take(file);
    });
  }
}
