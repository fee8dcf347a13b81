/**
 * Asks a nameserver for one name many times at once, each from a port of its own. Prints what was said, each as often as it
 * was, as a line of JSON.
 *
 * Arguments: the nameserver, the name, how many times.
 */
// deno-lint-ignore-file no-console -- the test reads the line
import { Asker } from "./names_storm_script.ts";

if (import.meta.main) {
  const [nameserver = "", name = "", times = ""] = Deno.args;
  using askers = new DisposableStack();
  const asking = Array.from(
    { length: Number(times) },
    () => askers.use(new Asker(nameserver)),
  ).map((asker) => asker.ask(name));
  const told: Record<string, number> = {};
  for (const answer of await Promise.all(asking)) {
    told[answer] = (told[answer] ?? 0) + 1;
  }
  console.log(JSON.stringify(told));
}
