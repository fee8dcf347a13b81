import assert from "node:assert/strict";
import type { InterceptEvent, InterceptInfo } from "../connector/api.ts";
import type { ConnectorClient } from "../connector/client.ts";
import { attach } from "./_attach.ts";

const request = {
  ...{ name: "web", mode: "intercept" as const, ports: [], toPod: [] },
  ...{ address: "127.0.0.1", localOnly: false, isHeld: true },
};

/** A connector that has the intercept until it is left, or `end` is called. */
function connector() {
  const over = Promise.withResolvers<string>();
  const client: Pick<ConnectorClient, "intercept" | "leave"> = {
    async *intercept(): AsyncGenerator<InterceptEvent> {
      const info = { name: "web" } as InterceptInfo;
      yield { event: "intercepted", info };
      yield { event: "turned", text: "has no traffic: it is anna's" };
      yield { event: "ended", reason: await over.promise };
    },
    leave: () => {
      over.resolve("it was left");
      return Promise.resolve({ isPending: false });
    },
  };
  return { client: client as ConnectorClient, end: over.resolve };
}

Deno.test("attach() tells what becomes of an intercept, but its end not to who ended it", async () => {
  for (const isOwn of [true, false]) {
    const { client, end } = connector();
    const attached = await attach(client, request, () => {});
    const told: string[] = [];
    attached!.follow((text) => told.push(text));
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (isOwn) await attached!.leave();
    else end("its object was deleted");
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.deepEqual(told, [
      `"web" has no traffic: it is anna's`,
      ...isOwn ? [] : ['"web" has ended: its object was deleted'],
    ]);
  }
});
