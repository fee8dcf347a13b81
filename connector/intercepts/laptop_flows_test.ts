import assert from "node:assert/strict";
import { type Conn, connPair, type Datagrams } from "../../net/mod.ts";
import type { Incoming } from "../../tunnel/mod.ts";
import { LaptopFlows } from "./laptop_flows.ts";

/** A stream that must not be accepted. */
function unwanted(): Incoming {
  const accept = () => assert.fail("it was accepted");
  return {
    ...{ target: new Uint8Array(), datagrams: false, refuse: () => {} },
    ...{ signal: new AbortController().signal },
    ...{ accept, acceptDatagrams: accept },
  };
}

Deno.test("LaptopFlows.join() breaks off what is dialled in spite of the end", async () => {
  const flows = new LaptopFlows();
  const [app, server] = connPair();
  const dialled = Promise.withResolvers<Conn>();
  const joining = flows.join(unwanted(), () => dialled.promise);
  const late = assert.rejects(joining, { refusal: "unknown-target" });
  dialled.resolve(app);
  await flows.end();
  await late;
  await assert.rejects(server.read(new Uint8Array(1)));
});

Deno.test("LaptopFlows.joinDatagrams() closes what is dialled in spite of the end", async () => {
  const flows = new LaptopFlows();
  let isClosed = false;
  const app: Datagrams = {
    send: () => true,
    receive: () => Promise.resolve(null),
    close: () => void (isClosed = true),
  };
  const dialled = Promise.withResolvers<Datagrams>();
  const joining = flows.joinDatagrams(unwanted(), () => dialled.promise);
  const late = assert.rejects(joining, { refusal: "unknown-target" });
  dialled.resolve(app);
  await flows.end();
  await late;
  assert.ok(isClosed);
});

Deno.test("LaptopFlows calls a dial off when it ends, and when nobody waits for it any more", async () => {
  for (const by of ["end", "peer", "before"] as const) {
    const flows = new LaptopFlows();
    const peer = new AbortController();
    if (by === "before") await flows.end();
    const joining = flows.join(
      { ...unwanted(), signal: peer.signal },
      (signal) =>
        new Promise((_, reject) => {
          const onAbort = () => reject(new Error("off"));
          signal.addEventListener("abort", onAbort);
          if (signal.aborted) onAbort();
        }),
    );
    const told = by === "peer" ? "off" : "The intercept has ended";
    const failing = assert.rejects(joining, { message: told });
    if (by === "end") await flows.end();
    if (by === "peer") peer.abort();
    await failing;
  }
});
