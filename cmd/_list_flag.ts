import type * as connector from "../connector/api.ts";

/**
 * A flag with a list: items with commas between them, or the flag repeated.
 *
 * @param check Throws for an item that means nothing; the flag then says so.
 */
export function listFlag(
  flag: string,
  check: (api: typeof connector, text: string) => void,
) {
  return {
    kind: "parsed",
    parse: async (text: string) => {
      // Loaded for who uses it: every command starts with this file.
      const api = await import("../connector/api.ts");
      try {
        check(api, text);
      } catch (error) {
        throw new SyntaxError(`${flag}: ${(error as Error).message}`);
      }
      return text;
    },
    optional: true,
    variadic: ",",
  } as const;
}
