import assert from "node:assert/strict";
import { ConnResetError } from "../net/mod.ts";
import { resetDarwin } from "./_reset_darwin.ts";
import { findDescriptor } from "./descriptor.ts";
import { TcpConn } from "./tcp_conn.ts";

/** SOL_SOCKET and SO_LINGER on Linux, which does the same when it is told so. */
const linux = { level: 1, option: 13 };

Deno.test("resetDarwin() breaks the peer off, and leaves a descriptor to be closed", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const [here, other] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port }),
    listener.accept(),
  ]);
  const there = new TcpConn(other);
  const read = here.read(new Uint8Array(1));
  const numbers = Deno.build.os === "darwin" ? undefined : linux;
  assert.ok(resetDarwin(findDescriptor(here)!, numbers));
  await assert.rejects(there.read(new Uint8Array(1)), ConnResetError);
  here.close();
  await assert.rejects(read);
  there.close();
});
