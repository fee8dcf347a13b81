/** A configuration file's text. Loaded for who has a file: a parser and a validator come with it. */
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
} from "../yaml.ts";
import { ConfigError } from "./error.ts";
import type { Layer } from "./layer.ts";
import { configFaults } from "./shape.ts";
import { valuesOf } from "./values.ts";

/**
 * @param file For people.
 * @throws {ConfigError}
 */
export function parseConfig(text: string, file: string): Layer {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line } = lines.linePos(error.pos[0]);
    const [message] = error.message.split("\n");
    const text = message!.replace(/ at line \d+, column \d+:?$/, "");
    throw new ConfigError(
      `Cannot use "${file}": it is neither YAML nor JSON`,
      [{ place: `${file}:${line}`, text }],
      { cause: error },
    );
  }
  const config: unknown = document.toJS() ?? {};
  const lineOf = (path: readonly string[]) =>
    lines.linePos(offsetOf(document, path)).line;
  const faults = configFaults(config).map(({ path, place, text }) => ({
    line: lineOf(path),
    text: `${place || "the file"} ${text}`,
  })).toSorted((a, b) => a.line - b.line);
  if (faults.length > 0) {
    throw new ConfigError(
      `Cannot use "${file}": ${
        faults.length === 1 ? "one thing" : `${faults.length} things`
      } in it must be put right`,
      faults.map(({ line, text }) => ({ place: `${file}:${line}`, text })),
    );
  }
  return {
    ...{ kind: "file", values: valuesOf(config as object) },
    placeOf: (key) => `${file}:${lineOf(key.split("."))}`,
  };
}

/** Where what is at `path` begins, with its key; of what is not there, where it would belong. */
function offsetOf(document: Document, path: readonly string[]): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) =>
        isScalar(key) && String(key.value) === part
      );
      if (!isScalar(pair?.key)) return offset;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = (node as { range?: [number] } | undefined)?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
