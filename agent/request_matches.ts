import { compileMatch, type RequestHead } from "../http/mod.ts";
import { logger } from "../log.ts";
import type { Rule } from "../manager/api.ts";

const log = logger("agent");

const compiled = new WeakMap<object, (request: RequestHead) => boolean>();

/** Whether the rule means the request. One that can not be understood means none. */
export function isMeant({ match, name }: Rule, request: RequestHead): boolean {
  if (match === undefined) return true;
  let test = compiled.get(match);
  if (test === undefined) {
    try {
      test = compileMatch(match);
    } catch (error) {
      log.warn("a rule is not understood", { name, error });
      test = () => false;
    }
    compiled.set(match, test);
  }
  return test(request);
}
