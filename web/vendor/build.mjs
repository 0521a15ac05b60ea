/** Lays out what `npm ci` fetched as the pages load it: in ../live/runtime, whole or not at all. */

import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const here = (path) => new URL(path, import.meta.url);
const target = here("../live/runtime/");
const draft = here("../live/runtime.draft/");
// LiteRT.js chooses among these by what the browser can do; without relaxed SIMD it takes `compat`.
const BUILDS = ["litert_wasm_internal", "litert_wasm_compat_internal", "litert_wasm_threaded_internal"];
const HELPERS = '"@litertjs/wasm-utils"'; // a bare name, which no worker can resolve

/** A file of a package, such as `core/dist/index.js`. @param {string} path */
const fetched = (path) => here(`node_modules/@litertjs/${path}`);

/** @param {string} code of LiteRT.js @returns {string} the same, its one import made relative */
function relative(code) {
  if (code.split(HELPERS).length !== 2) throw new Error(`LiteRT.js should import ${HELPERS} exactly once.`);
  return code.replace(HELPERS, '"./wasm-utils.js"').replace(/^\/\/# sourceMappingURL=.*$/m, "");
}

await rm(draft, { recursive: true, force: true });
await mkdir(draft);
const { version } = JSON.parse(await readFile(fetched("core/package.json"), "utf8"));
await writeFile(new URL("litert.js", draft), relative(await readFile(fetched("core/dist/index.js"), "utf8")));
const helpers = await readFile(fetched("wasm-utils/dist/index.js"), "utf8");
await writeFile(new URL("wasm-utils.js", draft), helpers.replace(/^\/\/# sourceMappingURL=.*$/m, ""));
for (const build of BUILDS) {
  await copyFile(fetched(`core/wasm/${build}.js`), new URL(`${build}.js`, draft));
  // Packed: no server of ours and few static hosts would compress these 9 MB on their way.
  const packed = await promisify(gzip)(await readFile(fetched(`core/wasm/${build}.wasm`)), { level: 9 });
  await writeFile(new URL(`${build}.wasm.gz`, draft), packed);
}
await copyFile(here("../../LICENSE"), new URL("LICENSE", draft));
await writeFile(new URL("NOTICE", draft), `LiteRT.js ${version} (@litertjs/core), Apache-2.0, https://github.com/google-ai-edge/LiteRT\n`);
await rm(target, { recursive: true, force: true });
await rename(draft, target);
