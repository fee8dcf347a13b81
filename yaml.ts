/**
 * YAML, to be imported when it is needed: `await import("../yaml.ts")`. The package itself is CommonJS, and a bundle
 * gives the names of such a package only to modules that import it statically, as this one does.
 */
export {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parse,
  parseDocument,
  stringify,
} from "yaml";
