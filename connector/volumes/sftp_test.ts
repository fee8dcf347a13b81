import assert from "node:assert/strict";
import {
  type Conn,
  connPair,
  ConnResetError,
  writeAll,
} from "../../net/mod.ts";
import { SftpClient } from "./sftp.ts";
import { encodeSftp, SftpReader, sftpTypes } from "./sftp_packet.ts";

/** Reads one packet without its length. */
async function packet(conn: Conn): Promise<SftpReader> {
  const exactly = async (length: number) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      at += await conn.read(bytes.subarray(at)) ?? assert.fail("it has ended");
    }
    return new SftpReader(bytes);
  };
  return await exactly((await exactly(4)).number());
}

/** A client, and the server's end of its stream after the greeting. */
async function greeted(): Promise<{ client: SftpClient; server: Conn }> {
  const [conn, server] = connPair();
  const opened = SftpClient.open(conn);
  assert.equal((await packet(server)).byte(), sftpTypes.init);
  await writeAll(server, encodeSftp(sftpTypes.version, [3]));
  return { client: await opened, server };
}

/** The id of the next request. */
async function asked(server: Conn): Promise<number> {
  const request = await packet(server);
  request.byte();
  return request.number();
}

Deno.test("SftpClient tells answers apart in whatever order they come", async () => {
  const { client, server } = await greeted();
  const answers = Promise.all([client.realPath("/a"), client.realPath("/b")]);
  const ids = [await asked(server), await asked(server)];
  for (const [index, id] of [...ids.entries()].reverse()) {
    const name = ["first", "second"][index]!;
    await writeAll(
      server,
      encodeSftp(sftpTypes.name, [id, 1, name, "", 0]),
    );
  }
  assert.deepEqual(await answers, ["first", "second"]);
  client[Symbol.dispose]();
});

Deno.test("SftpClient rejects with what the server says, and goes on", async () => {
  const { client, server } = await greeted();
  const refused = client.stat("/secret");
  const id = await asked(server);
  const fields = [id, 3, "Permission denied", ""];
  await writeAll(server, encodeSftp(sftpTypes.status, fields));
  await assert.rejects(refused, { code: 3, message: "Permission denied" });
  const found = client.stat("/");
  const attributes = [await asked(server), 4, 0o040755];
  await writeAll(server, encodeSftp(sftpTypes.attributes, attributes));
  assert.deepEqual(await found, { mode: 0o040755 });
  client[Symbol.dispose]();
});

Deno.test("SftpClient rejects all that waits when the stream ends", async () => {
  const { client, server } = await greeted();
  const waiting = [client.stat("/a"), client.readFile("/b", 10)];
  const all = Promise.allSettled(waiting);
  await asked(server);
  server.close();
  for (const { status } of await all) assert.equal(status, "rejected");
  await assert.rejects(client.stat("/c"));
});

const faults: Record<string, Uint8Array> = {
  "a packet that is too long": Uint8Array.of(0x7f, 0, 0, 0, 101),
  "an answer that was not asked for": encodeSftp(sftpTypes.status, [99, 0]),
  "a packet of another kind": encodeSftp(sftpTypes.handle, [0, "h"]),
  "a packet that is cut off": encodeSftp(sftpTypes.status, [0]),
};
for (const [name, bytes] of Object.entries(faults)) {
  Deno.test(`SftpClient breaks the stream off for ${name}`, async () => {
    const { client, server } = await greeted();
    const waiting = client.stat("/a");
    const rejected = assert.rejects(waiting);
    await asked(server);
    await writeAll(server, bytes);
    await rejected;
    await assert.rejects(server.read(new Uint8Array(1)), ConnResetError);
  });
}
