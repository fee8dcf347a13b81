/** A script of the tests that runs on a laptop beside what is tested. */
import type { Laptop } from "../cluster/mod.ts";

export interface LaptopScript extends AsyncDisposable {
  /** The next line that it prints. @throws {Error} when it has ended. */
  nextLine(): Promise<string>;
  /** Writes a line to its standard input. */
  tell(line: string): Promise<void>;
  /** All lines that it has printed, and {@link LaptopScript.nextLine} has not told, up to its end, which this brings about. */
  end(): Promise<string[]>;
}

/** Starts `NAME` of this directory on the laptop, as root. */
export function startScript(
  laptop: Laptop,
  name: string,
  args: string[] = [],
): LaptopScript {
  const path = new URL(name, import.meta.url).pathname;
  const child = laptop.spawn(
    [Deno.execPath(), "run", "-A", "--unstable-net", path, ...args],
    { stdin: "piped", stdout: "piped" },
  );
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let hasEnded = false;
  const read = async () => {
    const { value, done } = await reader.read();
    rest += value ?? "";
    hasEnded = done;
  };
  const end = async () => {
    try {
      child.kill("SIGKILL");
    } catch { /* it has ended */ }
    while (!hasEnded) await read();
    await child.status;
    await writer.close().catch(() => {});
    return rest.split("\n").filter((line) => line !== "");
  };
  return {
    async nextLine() {
      while (!rest.includes("\n")) {
        if (hasEnded) throw new Error(`Cannot go on: ${name} has ended`);
        await read();
      }
      const at = rest.indexOf("\n");
      const line = rest.slice(0, at);
      rest = rest.slice(at + 1);
      return line;
    },
    tell: (line) => writer.write(new TextEncoder().encode(`${line}\n`)),
    end,
    [Symbol.asyncDispose]: async () => {
      await end();
    },
  };
}
