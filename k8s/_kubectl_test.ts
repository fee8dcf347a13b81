import assert from "node:assert/strict";
import { type Conn, RefusedError, systemClock } from "../net/mod.ts";
import { accessTo } from "./_access_fake.ts";
import { kubectlWay } from "./_kubectl.ts";
import { childrenEnded } from "./_kubectl_child.ts";
import { Requests } from "./_requests.ts";
import { ObstacleError } from "./unreachable.ts";

const target = { namespace: "ambassador", pod: "manager-0", port: 7410 };

/** Runs `use` with a `kubectl` that is this shell script; it notes its arguments in `$HOME/args` first. */
async function withKubectl(
  script: string,
  use: (open: () => Promise<Conn>, home: string) => Promise<void>,
  { path: places = ":/usr/bin:/bin" } = {},
): Promise<void> {
  const home = await Deno.makeTempDir();
  const path = `${home}/kubectl`;
  const text = `#!/bin/sh\necho "$@" >"$HOME/args"\n${script}\n`;
  await Deno.writeTextFile(path, text, { mode: 0o755 });
  const env = { HOME: home, PATH: `${home}${places}`, KUBECONFIG: "/k" };
  const access = accessTo(new URL("https://127.0.0.1:1"), {
    kubectl: { context: "here", env },
  });
  using requests = new Requests(access, {
    ...{ clock: systemClock, userAgent: "tp" },
  });
  const { signal } = new AbortController();
  try {
    await use(() => kubectlWay.open(requests, target, signal), home);
  } finally {
    await childrenEnded();
    await Deno.remove(home, { recursive: true });
  }
}

/** An echo, and the line by which kubectl would tell its port. */
function startEcho() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const serving = (async () => {
    for await (const conn of listener) {
      await conn.readable.pipeTo(conn.writable).catch(() => {});
    }
  })();
  return {
    says: `echo "Forwarding from 127.0.0.1:${port} -> 7410"`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

/** Whether some process has this among its arguments. */
async function isRunning(word: string): Promise<boolean> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const text = await Deno.readTextFile(`/proc/${name}/cmdline`)
      .catch(() => "");
    if (text.includes(word)) return true;
  }
  return false;
}

Deno.test("kubectlWay gives the same access, connects to the port told, and ends kubectl with the flow", async () => {
  await using echo = startEcho();
  await withKubectl(`${echo.says}; exec sleep 1000`, async (open, home) => {
    const conn = await open();
    await conn.write(new TextEncoder().encode("hi"));
    assert.equal(await conn.read(new Uint8Array(9)), 2);
    assert.equal(
      (await Deno.readTextFile(`${home}/args`)).trim(),
      "--context here --namespace ambassador port-forward pod/manager-0 " +
        ":7410 --address=127.0.0.1 --pod-running-timeout=10s",
    );
    conn.close();
    await childrenEnded();
    assert.equal(await isRunning(`${home}/kubectl`), false);
  });
});

const failures: [string, string, RegExp][] = [
  ["kubectl's words", "echo 'error: no such pod' >&2; exit 1", /: no such pod/],
  ["that kubectl is silent", "exit 1", /: it ended/],
  [
    "that nobody listens on the port told",
    "echo 'Forwarding from 127.0.0.1:1 -> 7410'; exec sleep 1000",
    /not there/,
  ],
];

for (const [what, script, words] of failures) {
  Deno.test(`kubectlWay tells ${what}`, () =>
    withKubectl(script, async (open) => {
      await assert.rejects(
        open,
        (error) =>
          error instanceof ObstacleError && words.test(error.message) &&
          error.obstacle.kind === "protocol",
      );
    }));
}

Deno.test("kubectlWay tells that there is no kubectl", () =>
  withKubectl("", async (open, home) => {
    await Deno.remove(`${home}/kubectl`);
    await assert.rejects(
      open,
      (error) =>
        error instanceof ObstacleError && /not found/.test(error.message),
    );
  }, { path: "" }));

Deno.test("kubectlWay tells a port in the pod that nobody listens on", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const script = `echo "Forwarding from 127.0.0.1:${port} -> 7410"
while [ ! -e "$HOME/asked" ]; do sleep 0.01; done
echo "E0000 an error occurred forwarding 1 -> 7410: connection refused" >&2
exec sleep 1000`;
  await withKubectl(script, async (open, home) => {
    const conn = await open();
    (await listener.accept()).close();
    await Deno.writeTextFile(`${home}/asked`, "");
    await assert.rejects(
      conn.read(new Uint8Array(1)),
      (error) => error instanceof RefusedError && error.refusal === "refused",
    );
    conn.close();
  });
  listener.close();
});
