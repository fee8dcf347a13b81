import assert from "node:assert/strict";
import { start } from "./mod.ts";

/** What a command line that is not understood has told on standard error. */
async function told(args: string[]): Promise<string> {
  const { writeSync } = Deno.stderr;
  let text = "";
  Deno.stderr.writeSync = (bytes) => {
    text += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  try {
    assert.equal(await start(args), 2);
  } finally {
    Deno.stderr.writeSync = writeSync;
  }
  return text;
}

Deno.test("start() names the help that lists the commands that there are where one is not known", async () => {
  const table: [args: string[], help: string][] = [
    [["foo"], "tp --help"],
    [["foo", "foo"], "tp --help"],
    [["daemon", "foo"], "tp daemon --help"],
    [["daemon", "daemon"], "tp daemon --help"],
    [["config", "config"], "tp config --help"],
  ];
  for (const [args, help] of table) {
    const last = args.at(-1);
    assert.equal(
      await told(args),
      `tp: there is no command "${last}"\n    \`${help}\` lists the commands\n`,
    );
  }
});
