/**
 * Holds a pod's volumes as a connector does. Its argument is JSON, {@link Options}; it prints what came of it as a line
 * of JSON, and again for each line of its input; "close" closes, at the end of its input it ends without.
 */
// deno-lint-ignore-file no-console -- the test reads the lines
import { ChildConn } from "../../connector/volumes/child_conn.ts";
import {
  openVolumes,
  type VolumesOptions,
} from "../../connector/volumes/volumes.ts";
import { removeStaleVolumes } from "../../connector/volumes/stale_volumes.ts";
import { removeSocketDirectory } from "../../connector/process/stale_socket.ts";
import { setLogLevel } from "../../log.ts";
import type { Conn } from "../../net/mod.ts";
import { dialUnix } from "./unix_conn.ts";

type Options =
  & { socket?: string; exec?: string[] }
  & Omit<VolumesOptions, "open">;

setLogLevel("error");
if (Deno.args[0] === "repair") {
  await removeStaleVolumes();
  Deno.exit();
}
const { socket, exec, ...options }: Options = JSON.parse(Deno.args[0]!);

/** Its process ends with its input. */
function run([program = "", ...args]: string[]): Conn {
  const child = new Deno.Command(program, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  return new ChildConn(child);
}

try {
  const volumes = await openVolumes({
    ...options,
    open: async () => exec ? run(exec) : await dialUnix(socket!),
  });
  const { root } = volumes;
  const tell = () => {
    const { mode, error } = volumes;
    console.log(JSON.stringify({ root, mode, error }));
  };
  tell();
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const line of lines) {
    if (line.trim() === "close") {
      await volumes.close();
      await removeSocketDirectory();
      break;
    }
    tell();
  }
} catch (error) {
  console.log(JSON.stringify({ thrown: (error as Error).message }));
}
Deno.exit();
