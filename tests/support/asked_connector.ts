/** A connection with settings that `tp connect` has no flag for: the connector is asked itself, as `tp` asks it. */
import assert from "node:assert/strict";
import { defaultImage } from "../../build.ts";
import type { ConnectEvent, ConnectRequest } from "../../connector/api.ts";
import type { Laptop } from "../cluster/mod.ts";
import { executable } from "./laptop_tp.ts";

const socket = "/run/user/0/tp/connector.sock";

/** Starts daemon and connector as root, asks to connect, and resolves to what happened last: `connected` or `failed`. */
export async function askToConnect(
  laptop: Laptop,
  settings: Partial<ConnectRequest>,
): Promise<ConnectEvent> {
  const request: ConnectRequest = {
    managerNamespace: "ambassador",
    image: Deno.env.get("TP_IMAGE") || defaultImage,
    ...settings,
  };
  const { code, stdout, stderr } = await laptop.run(["sh", "-eu"], {
    stdin: `
'${executable}' daemon-foreground --uid 0 --detach >/dev/null
setsid '${executable}' connector-foreground </dev/null >/dev/null 2>&1 &
for _ in $(seq 200); do [ -S ${socket} ] && break; sleep 0.05; done
curl --silent --show-error --unix-socket ${socket} --data @- http://127.0.0.1/connect <<'REQUEST'
${JSON.stringify(request)}
REQUEST
`,
    timeoutMs: 120_000,
  });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}
