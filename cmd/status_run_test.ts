import assert from "node:assert/strict";
import type { ConnectorStatus, Status } from "../connector/api.ts";
import type { Context } from "./_context.ts";
import status from "./status_run.ts";

const statusOf = (name: string) =>
  ({
    user_daemon: { status: "Connected", name, pid: 1 },
    root_daemon: {},
  }) as unknown as Status;

/** What `tp status --output json` says, and how often it asked a connector with these connections. */
async function told(names: string[], use?: RegExp) {
  const directory = await Deno.makeTempDir();
  const former = Deno.env.get("XDG_RUNTIME_DIR");
  Deno.env.set("XDG_RUNTIME_DIR", directory);
  await Deno.mkdir(`${directory}/tp`);
  let asked = 0;
  const answer: ConnectorStatus = {
    connections: names.map(statusOf),
    connecting: [],
    idle: {
      ...statusOf(""),
      user_daemon: { status: "Not connected" } as never,
    },
  };
  const server = Deno.serve({
    path: `${directory}/tp/connector.sock`,
    onListen: () => {},
  }, () => (asked++, Response.json(answer)));
  let text = "";
  const stdout = { write: (more: string) => void (text += more) };
  try {
    const flags = { output: "json" as const, ...use && { use } };
    await status.call({ process: { stdout } } as unknown as Context, flags);
    return { asked, value: JSON.parse(text) };
  } finally {
    await server.shutdown();
    if (former === undefined) Deno.env.delete("XDG_RUNTIME_DIR");
    else Deno.env.set("XDG_RUNTIME_DIR", former);
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("tp status asks the connector once, whatever it has and whichever is meant", async () => {
  const none = await told([]);
  assert.equal(none.value.user_daemon.status, "Not connected");
  const one = await told(["one"]);
  assert.deepEqual(one.value, statusOf("one"));
  const both = await told(["one", "two"]);
  assert.deepEqual(both.value, {
    ...statusOf("one"),
    connections: ["one", "two"].map(statusOf),
  });
  const second = await told(["one", "two"], /^two$/);
  assert.deepEqual(second.value, statusOf("two"));
  assert.deepEqual([none, one, both, second].map(({ asked }) => asked), [
    ...[1, 1, 1, 1],
  ]);
});
