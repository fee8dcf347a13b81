/**
 * `./dev bench [NAME [OPTION…]]`: runs one benchmark of this folder, or the ones that are usually wanted. Each is a
 * program of its own and prints figures, as ratios in one run.
 */
import { say } from "../tests/cluster/mod.ts";

const usual = ["outbound", "startup"];

const folder = new URL("./", import.meta.url);

async function exists(name: string): Promise<boolean> {
  const path = new URL(`${name}.ts`, folder);
  return await Deno.stat(path).then(() => true, () => false);
}

async function run(name: string, args: readonly string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL(`${name}.ts`, folder).pathname, ...args],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return success;
}

const [name, ...args] = Deno.args;
const names = name === undefined ? usual : [name];
for (const name of names) {
  if (!/^[a-z_]+$/.test(name) || name === "main" || !await exists(name)) {
    say(
      `bench: there is no benchmark "${name}"; the usual ones are ${
        usual.join(" and ")
      }`,
    );
    Deno.exit(2);
  }
}
let failed = 0;
for (const name of names) {
  if (names.length > 1) say(`\n=== ${name}`);
  if (!await run(name, args)) failed++;
}
Deno.exit(failed === 0 ? 0 : 1);
