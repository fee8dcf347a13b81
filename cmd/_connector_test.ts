import assert from "node:assert/strict";
import { ConnectorClient } from "../connector/client.ts";
import { mean } from "./_connector.ts";
import { CommandError } from "./_error.ts";
import type { UserStatus } from "./_meant_connection.ts";

const named = (...names: string[]) =>
  names.map((name): UserStatus => ({
    ...{ running: true, version: "0.1.0", executable: "tp", pid: 1 },
    ...{ status: "Connected", name },
    ...{ intercepts: [], replacements: [], wiretaps: [], ingests: [] },
    proxy_vias: [],
  }));
const action = "go";

Deno.test("mean() has the client ask the connection that is meant", () => {
  using client = new ConnectorClient();
  const connections = named("first", "second");
  assert.equal(mean({ client, connections }, { action, use: /^sec/ }), true);
  assert.equal(client.connection, "second");
  assert.equal(
    mean({ client, connections: named("only") }, { action }),
    true,
  );
  assert.equal(client.connection, "only");
});

Deno.test("mean() leaves the client as it is where none is meant, or which is not clear", () => {
  using client = new ConnectorClient();
  // A connector that holds none, as one that is connecting yet.
  assert.equal(mean({ client, connections: [] }, { action }), false);
  assert.equal(mean({ client, connections: [] }, { action, use: /x/ }), false);
  const connections = named("first", "second");
  const isFit = () => false;
  assert.equal(mean({ client, connections }, { action, isFit }), false);
  assert.throws(() => mean({ client, connections }, { action }), CommandError);
  assert.equal(client.connection, undefined);
});
