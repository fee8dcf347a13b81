import assert from "node:assert/strict";
import type { Talk } from "../destination_fake.ts";
import { serve } from "../serve_fake.ts";

const get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

Deno.test("a connection listens once to the signals that all connections share, and no longer than it stands", async () => {
  const drain = new AbortController();
  const { signal } = drain;
  let [added, removed] = [0, 0];
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    added++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (
    ...args: Parameters<typeof removeEventListener>
  ) => {
    removed++;
    removeEventListener.apply(signal, args);
  };
  const served = serve({ drain: signal });
  const { client, app } = served;
  let talk: Talk | undefined;
  for (let request = 0; request < 3; request++) {
    await client.send(get);
    talk ??= await app.accept();
    await talk.until("\r\n\r\n");
    await talk.send(ok);
    await client.octets(ok.length);
  }
  assert.equal(added, 1);
  await client.conn.closeWrite();
  await served.over;
  assert.equal(removed, 1);
});
