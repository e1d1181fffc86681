// Shows /api/openapi.json to people. Every text of the document goes in as text, never as markup.

const METHODS = ["get", "post", "put", "patch", "delete"];
const DEPTH_MAX = 6;

/** An element with children; strings become text. */
function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

/** Paragraphs, with `code` in backticks. */
function prose(text) {
  return (text ?? "").split(/\n\s*\n/).filter(Boolean).map((paragraph) =>
    element("p", "", ...paragraph.split("`").map((part, index) => (index % 2 ? element("code", "", part) : part))));
}

class Description {
  constructor(document_) {
    this.document = document_;
  }

  resolve(node) {
    let found = node ?? {};
    for (let hops = 0; found.$ref && hops < DEPTH_MAX; hops++) {
      found = found.$ref.slice(2).split("/").reduce((at, name) => at?.[name.replaceAll("~1", "/")], this.document) ?? {};
    }
    return found;
  }

  /** A short name of a type: `string`, `Page of Lot`. */
  typeName(schema) {
    if (schema?.$ref) return schema.$ref.split("/").pop();
    const found = this.resolve(schema);
    const choices = found.oneOf ?? found.anyOf;
    if (choices) return choices.map((one) => this.typeName(one)).join(" or ");
    if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" | ");
    const types = [found.type ?? "any"].flat();
    if (types.includes("array")) return `list of ${this.typeName(found.items)}`;
    return types.join(" or ") + (found.format ? ` (${found.format})` : "");
  }

  /** All properties, those of `allOf` parts included. */
  properties(schema) {
    const found = this.resolve(schema);
    const parts = (found.allOf ?? []).map((part) => this.properties(part));
    const own = Object.entries(found.properties ?? {}).map(([name, property]) => ({
      name, property, required: (found.required ?? []).includes(name),
    }));
    return [...parts.flat(), ...own];
  }

  example(schema, depth = 0) {
    const found = this.resolve(schema);
    if (found.example !== undefined) return found.example;
    if (found.examples?.length) return found.examples[0];
    if (depth > DEPTH_MAX) return null;
    const choices = found.oneOf ?? found.anyOf;
    if (choices) return this.example(choices.find((one) => this.resolve(one).type !== "null"), depth + 1);
    const properties = this.properties(found);
    if (properties.length) {
      return Object.fromEntries(properties.map(({ name, property }) => [name, this.example(property, depth + 1)]));
    }
    if (found.enum) return found.enum[0];
    switch ([found.type].flat()[0]) {
      case "array": return [this.example(found.items, depth + 1)];
      case "integer": case "number": return found.minimum ?? 0;
      case "boolean": return false;
      case "string": return found.format === "uuid" ? "0199d0a5-7f9c-7c3e-9a51-0f6f7ad0c1de" : "…";
      default: return null;
    }
  }

  schemaView(schema, depth = 0) {
    const found = this.resolve(schema);
    const items = found.type === "array" ? found.items : undefined;
    if (items) return this.schemaView(items, depth + 1);
    const properties = this.properties(found);
    if (!properties.length || depth > 2) return undefined;
    const list = element("dl");
    for (const { name, property, required } of properties) {
      list.append(
        element("dt", "", element("code", "", name), " ", element("span", "type", this.typeName(property)),
          required ? "" : element("span", "type", ", optional")),
        element("dd", "", ...prose(property.description ?? this.resolve(property).description),
          this.schemaView(property, depth + 1)));
    }
    return list;
  }

  contentView(content) {
    return Object.entries(content ?? {}).flatMap(([type, { schema, example }]) => {
      if (!schema) return [element("p", "quiet", type)];
      const sample = example ?? this.example(schema);
      return [
        element("p", "quiet", `${this.typeName(schema)}, ${type}`),
        this.schemaView(schema),
        typeof sample === "object" && sample !== null
          ? element("pre", "", JSON.stringify(sample, null, 2)) : undefined,
      ];
    });
  }

  operationView(path, method, operation) {
    const body = element("div", "body", ...prose(operation.description));
    if (operation.parameters?.length) {
      const list = element("dl");
      for (const parameter of operation.parameters.map((one) => this.resolve(one))) {
        list.append(
          element("dt", "", element("code", "", parameter.name), " ",
            element("span", "type", `${this.typeName(parameter.schema)}, in ${parameter.in}`),
            parameter.required ? "" : element("span", "type", ", optional")),
          element("dd", "", ...prose(parameter.description)));
      }
      body.append(element("h3", "", "Parameters"), list);
    }
    if (operation.requestBody) {
      body.append(element("h3", "", "Body"), ...this.contentView(operation.requestBody.content).filter(Boolean));
    }
    body.append(element("h3", "", "Answers"));
    for (const [status, answer] of Object.entries(operation.responses ?? {})) {
      const found = this.resolve(answer);
      body.append(element("p", "", element("span", "status", status), " ", ...prose(found.description).flatMap((p) => [...p.childNodes])));
      // All errors look alike; the form is shown once, below.
      if (status < "400") body.append(...this.contentView(found.content).filter(Boolean));
    }
    const details = element("details", "",
      element("summary", "", element("span", `method ${method}`, method), element("code", "path", path),
        element("span", "what", operation.summary ?? ""),
        operation.security?.length ? element("span", "mark", "token") : undefined),
      body);
    details.dataset.text = [method, path, operation.summary, operation.description, ...(operation.tags ?? [])]
      .join(" ").toLowerCase();
    return details;
  }

  groups() {
    const groups = new Map((this.document.tags ?? []).map((tag) => [tag.name, { tag, operations: [] }]));
    for (const [path, item] of Object.entries(this.document.paths)) {
      for (const method of METHODS.filter((one) => item[one])) {
        const name = item[method].tags?.[0] ?? "other";
        if (!groups.has(name)) groups.set(name, { tag: { name }, operations: [] });
        groups.get(name).operations.push(this.operationView(path, method, item[method]));
      }
    }
    return [...groups.values()].filter((group) => group.operations.length);
  }
}

function filter(sections, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of sections) {
    const operations = [...section.querySelectorAll("details")];
    for (const one of operations) one.hidden = !wanted.every((word) => one.dataset.text.includes(word));
    section.hidden = operations.every((one) => one.hidden);
  }
}

async function show() {
  const main = document.getElementById("operations");
  try {
    const answer = await fetch("/api/openapi.json");
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const description = new Description(await answer.json());
    const { info, components } = description.document;
    document.title = `${info.title}: HTTP interface`;
    document.getElementById("title").textContent = `${info.title}: HTTP interface`;
    document.getElementById("version").textContent = `version ${info.version}`;
    document.getElementById("about").append(...prose(info.description));
    const sections = description.groups().map(({ tag, operations }) =>
      element("section", "", element("h2", "", tag.name), ...prose(tag.description), ...operations));
    if (components?.schemas?.Problem) {
      sections.push(element("section", "", element("h2", "", "Errors"),
        element("p", "", "Every error looks like this."),
        ...description.contentView({
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
        }).filter(Boolean)));
    }
    main.replaceChildren(...sections);
    const field = document.getElementById("filter");
    field.addEventListener("input", () => filter(sections.filter((one) => one.querySelector("details")), field.value));
  } catch (error) {
    main.replaceChildren(element("p", "", `The description cannot be read: ${error.message}. Reload to try again.`));
  }
}

await show();
