// deno-lint-ignore-file no-console -- what it shows is what the test reads
import { nextTurn, shared, SharedError, turn } from "./shared.ts";
import { askWorker } from "./vpn/mod.ts";

const decoder = new TextDecoder();

async function output(command: string, args: string[], env = {}) {
  const child = new Deno.Command(command, { args, env });
  return decoder.decode((await child.output()).stdout);
}

/** What the program can be asked to show. */
export const scenes: Record<string, () => unknown> = {
  exit: () => Deno.exit(Number(Deno.args[0])),

  throw: () => {
    throw new SharedError("boom");
  },

  signal: () => {
    Deno.addSignalListener("SIGTERM", () => Deno.exit(43));
    setInterval(() => {}, 1000); // a listener alone keeps no program alive
    console.log("ready");
  },

  stdin: async () => {
    const text = await new Response(Deno.stdin.readable).text();
    console.log(text.toUpperCase());
  },

  again: async () => {
    const env = { SAMPLE: "args" };
    console.log(await output(Deno.execPath(), ["--again", "ü"], env));
  },

  environment: () => console.log(JSON.stringify(Deno.env.toObject())),

  caller: async () => {
    const text = await Deno.readTextFile("/proc/self/environ");
    console.log(JSON.stringify(text.split("\0").filter(Boolean)));
  },

  child: async () => {
    const script = "env -0; ls -l /proc/self/fd >&2";
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", script],
    }).output();
    const entries = decoder.decode(stdout).split("\0").filter(Boolean);
    console.log(JSON.stringify({
      names: entries.map((entry) => entry.split("=")[0]),
      descriptors: decoder.decode(stderr),
    }));
  },

  modules: async () => {
    shared.count++;
    nextTurn();
    const { read, sharedCount, SharedError: other } = await import(
      "./reading.ts"
    );
    const builtin = await import("node:os");
    console.log(JSON.stringify({
      yaml: read("a: [1, 2]"),
      sharedCount: sharedCount(),
      sameClass: other === SharedError,
      turn,
      builtin: builtin.EOL,
      worker: await askWorker("question"),
    }));
  },

  tamper: () => {
    try {
      Deno.writeTextFileSync("/proc/self/fd/100", "1");
      console.log("written");
    } catch (error) {
      console.log(String(error));
    }
  },
};
