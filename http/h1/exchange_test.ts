import assert from "node:assert/strict";
import { ConnBehind, ConnResetError } from "../../net/mod.ts";
import { FakeDestination } from "../destination_fake.ts";
import { serve } from "../serve_fake.ts";

const get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

Deno.test("a head and what is there of its body are one write, both ways", async () => {
  const { client, app, over } = serve();
  const read = async ({ conn }: typeof client) =>
    await conn.read(new Uint8Array(1000));
  const chunked =
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
  const post = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc";
  let talk: typeof client | undefined;
  for (const [request, answer] of [[get, ok], [post, chunked]] as const) {
    await client.send(request);
    talk ??= await app.accept();
    assert.equal(await read(talk), request.length);
    await talk.send(answer);
    assert.equal(await read(client), answer.length);
  }
  await client.conn.closeWrite();
  await over;
});

/** A flow on which writing fails once it is told to. */
class Unwritable extends ConnBehind {
  isBroken = false;

  override read(into: Uint8Array): Promise<number | null> {
    return this.conn.read(into);
  }

  override write(octets: Uint8Array): Promise<number> {
    if (!this.isBroken) return this.conn.write(octets);
    return Promise.reject(new ConnResetError("Cannot write: it is broken"));
  }
}

for (
  const [method, body, isRetried] of [
    ["PUT", "abc", true],
    ["POST", "", true],
    // Its head may have been delivered.
    ["POST", "abc", false],
  ] as const
) {
  const request =
    `${method} / HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const what = `${method} with "${body}" whose write fails`;
  Deno.test(`${what} is ${isRetried ? "" : "not "}tried again, and a tap gets one copy at most`, async () => {
    const [app, tap] = [new FakeDestination(), new FakeDestination()];
    const opened: Unwritable[] = [];
    const destination = {
      async open() {
        const conn = new Unwritable(await app.open());
        opened.push(conn);
        return conn;
      },
    };
    const route = () => ({ destination, taps: [tap] });
    const { client, over } = serve({ route });
    await client.send(get);
    const first = await app.accept();
    await first.until("\r\n\r\n");
    await first.send(ok);
    await client.octets(ok.length);
    opened[0]!.isBroken = true;
    await client.send(request);
    first.conn.close();
    if (isRetried) {
      const second = await app.accept();
      assert.equal(await second.octets(request.length), request);
      await second.send(ok);
      await client.octets(ok.length);
    }
    await client.conn.closeWrite();
    assert.equal((await client.all()).text, "");
    const copy = await tap.accept();
    const copied = await copy.rest();
    if (isRetried) assert.equal(copied, get + request);
    copy.conn.close();
    await over;
    assert.equal(opened.length, isRetried ? 2 : 1);
  });
}
