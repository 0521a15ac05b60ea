/** The API, read from openapi.json: every operation with its parameters, and a form that tries it. */

const METHODS = ["get", "post", "patch", "put", "delete"];
const LONGEST_SHOWN = 20_000; // characters of an answer

/** @param {string} name @param {object} [properties] @param {...(Node | string)} children */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** What a schema says, in a few words. @param {object} [schema] */
function told(schema = {}) {
  const any = (schema.anyOf ?? [schema]).filter((each) => each.type !== "null");
  return any.map((each) => {
    const parts = [each.enum ? each.enum.join(", ") : each.type ?? ""];
    if (each.minimum !== undefined) parts.push(`from ${each.minimum}`);
    if (each.maximum !== undefined) parts.push(`to ${each.maximum}`);
    if (each.maxLength !== undefined) parts.push(`at most ${each.maxLength} characters`);
    return parts.join(" ");
  }).join(" or ");
}

/** Follow `$ref`. @param {object} api @param {object} [schema] */
function resolved(api, schema = {}) {
  return schema.$ref ? schema.$ref.slice(2).split("/").reduce((at, key) => at?.[key], api) ?? {} : schema;
}

/** @param {object} parameter */
function parameterField(parameter) {
  const input = element("input", { name: parameter.name, required: parameter.required ?? false });
  input.dataset.in = parameter.in;
  const note = [parameter.description, told(parameter.schema)].filter(Boolean).join(" · ");
  return element("label", {}, `${parameter.name}${parameter.required ? " *" : ""}`, input, element("small", {}, note));
}

/** @param {object} api @param {object} body */
function bodyFields(api, body) {
  const kinds = Object.keys(body.content).filter((kind) => kind !== "multipart/form-data");
  const kind = element("select", { name: ":kind" }, ...kinds.map((each) => element("option", {}, each)));
  const isFile = kinds.some((each) => /^(image|video)\//.test(each));
  const value = isFile ? element("input", { type: "file", name: ":file" }) : element("textarea", { name: ":body" });
  if (kinds.includes("application/json")) {
    const properties = Object.entries(resolved(api, body.content["application/json"].schema).properties ?? {});
    value.placeholder = JSON.stringify(Object.fromEntries(properties.map(([name, schema]) => [name, told(resolved(api, schema))])), null, 1);
  }
  return [element("label", {}, "Body", kind), value];
}

/** @param {HTMLFormElement} form @param {string} method @param {string} path @returns {[URL, RequestInit]} */
function asked(form, method, path) {
  const headers = new Headers();
  const token = document.querySelector("#token").value.trim();
  if (token) headers.set("Authorization", `Bearer ${token}`);
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll("input[data-in]")) {
    if (!input.value) continue;
    if (input.dataset.in === "path") path = path.replace(`{${input.name}}`, encodeURIComponent(input.value));
    else if (input.dataset.in === "header") headers.set(input.name, input.value);
    else query.set(input.name, input.value);
  }
  const body = form.elements[":file"]?.files[0] ?? form.elements[":body"]?.value;
  if (body !== undefined) {
    const kind = form.elements[":kind"].value;
    headers.set("Content-Type", kind.includes("*") ? body.type || "application/octet-stream" : kind);
  }
  const url = new URL(path.slice(1) + (query.size ? `?${query}` : ""), new URL("..", import.meta.url));
  return [url, { method: method.toUpperCase(), headers, body }];
}

/** @param {Response} response @returns {Promise<Node[]>} */
async function shown(response) {
  const head = [`${response.status} ${response.statusText}`];
  for (const name of ["content-type", "location", "etag", "link", "retry-after", "accept-post"]) {
    if (response.headers.has(name)) head.push(`${name}: ${response.headers.get(name)}`);
  }
  const kind = response.headers.get("content-type") ?? "";
  if (kind.startsWith("image/")) {
    const src = URL.createObjectURL(await response.blob());
    return [element("pre", {}, head.join("\n")), element("img", { src, alt: "The answer" })];
  }
  const text = kind.startsWith("video/") ? "(a video)" : await response.text();
  return [element("pre", {}, `${head.join("\n")}\n\n${text.slice(0, LONGEST_SHOWN)}`)];
}

/** @param {object} api @param {string} path @param {string} method @param {object} operation */
function operationSheet(api, path, method, operation) {
  const answer = element("div", { ariaLive: "polite" });
  const fields = (operation.parameters ?? []).filter((each) => each.in !== "cookie").map(parameterField);
  if (operation.requestBody) fields.push(...bodyFields(api, operation.requestBody));
  const form = element("form", {}, ...fields, element("button", {}, "Send"), answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    answer.replaceChildren("…");
    try {
      answer.replaceChildren(...await shown(await fetch(...asked(form, method, path))));
    } catch (error) {
      answer.replaceChildren(`The server did not answer: ${error.message}`);
    }
  });
  const title = element("summary", {}, element("b", {}, method.toUpperCase()), element("code", {}, path), element("span", {}, operation.summary ?? ""));
  return element("details", {}, title, form);
}

async function start() {
  const api = await (await fetch(new URL("../openapi.json", import.meta.url))).json();
  const rooms = new Map();
  for (const [path, operations] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((each) => operations[each])) {
      const tag = operations[method].tags?.[0] ?? "other";
      if (!rooms.has(tag)) rooms.set(tag, element("section", {}, element("h2", {}, tag)));
      rooms.get(tag).append(operationSheet(api, path, method, operations[method]));
    }
  }
  document.querySelector("#routes").replaceChildren(...rooms.values());
  document.querySelector("#summary").replaceChildren(`${api.info.summary} Version ${api.info.version}. `, element("a", { href: "openapi.json" }, "openapi.json"));
}

start();
