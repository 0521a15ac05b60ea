// Files that are dropped or pasted. Gradio takes them only while a well is empty, and ours begin with a sample: a photo
// dropped on that would be opened by the browser in place of the page.

const wells = () => [...document.querySelectorAll(".well")].filter((well) => well.checkVisibility());

async function bring(well, files) {
  const input = () => well.querySelector('input[type="file"]');
  if (!input()) {
    well.querySelector('[data-testid="source-select"] button')?.click(); // back from camera or clipboard
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
  const held = new DataTransfer();
  held.items.add(files[0]);
  input().files = held.files;
  input().dispatchEvent(new Event("change", { bubbles: true }));
}

function take(event, well, files) {
  if (event.defaultPrevented || !well || !files.length) return; // prevented: an empty well has taken it
  event.preventDefault();
  bring(well, [...files]);
}

addEventListener("dragover", (event) => {
  if (event.dataTransfer.types.includes("Files")) event.preventDefault();
});

addEventListener("drop", (event) => {
  take(event, event.target.closest(".well") ?? wells()[0], event.dataTransfer.files);
});

addEventListener("paste", (event) => {
  if (!event.target.closest?.("input, textarea")) take(event, wells()[0], event.clipboardData.files);
});
