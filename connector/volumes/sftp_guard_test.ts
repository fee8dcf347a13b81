import assert from "node:assert/strict";
import fc from "fast-check";
import { connPair, ConnResetError, writeAll } from "../../net/mod.ts";
import { withoutLinks } from "./sftp_guard.ts";
import { encodeSftp, SftpReader, sftpTypes } from "./sftp_packet.ts";

const [size, owner, permissions] = [1, 2, 4];
const link = 0o120777;

/** What of `sent` comes through, read in pieces of `piece` bytes. */
async function through(sent: Uint8Array, piece = 4096): Promise<number[]> {
  const [near, far] = connPair();
  const guarded = withoutLinks(near);
  const written = writeAll(far, sent).then(() => far.closeWrite());
  const got: number[] = [];
  const buffer = new Uint8Array(piece);
  for (;;) {
    const count = await guarded.read(buffer);
    if (count === null) break;
    got.push(...buffer.subarray(0, count));
  }
  await written;
  near.close();
  far.close();
  return got;
}

function modeIn(packet: number[]): number {
  const reader = new SftpReader(Uint8Array.from(packet).subarray(9));
  return reader.attributes().mode!;
}

const shapes: Record<string, (number | bigint)[]> = {
  "alone": [permissions, link],
  "behind a size": [size | permissions, 7n, link],
  "behind an owner": [owner | permissions, 1, 2, link],
  "behind both": [size | owner | permissions, 7n, 1, 2, link],
};
for (const [name, attributes] of Object.entries(shapes)) {
  Deno.test(`withoutLinks() makes a file of a link whose mode is ${name}`, async () => {
    const packet = encodeSftp(sftpTypes.attributes, [5, ...attributes]);
    for (const piece of [1, 3, 4096]) {
      const got = await through(packet, piece);
      assert.equal(got.length, packet.length);
      assert.equal(modeIn(got), 0o100777);
    }
  });
}

Deno.test("withoutLinks() breaks off where a link could hide in what is too long", async () => {
  const padded = [5, permissions, link, new Uint8Array(2000)];
  const packet = encodeSftp(sftpTypes.attributes, padded);
  await assert.rejects(through(packet), ConnResetError);
});

Deno.test("withoutLinks() passes all else on as it is", async () => {
  const other = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }).map((data) =>
      encodeSftp(sftpTypes.data, [1, data])
    ),
    fc.constantFrom(0o100600, 0o040755, 0o020666).map((mode) =>
      encodeSftp(sftpTypes.attributes, [1, size | permissions, 9n, mode])
    ),
    fc.nat(8).map((flags) => encodeSftp(sftpTypes.attributes, [1, flags])),
    fc.constant(encodeSftp(sftpTypes.status, [1, 0, "", ""])),
  );
  await fc.assert(fc.asyncProperty(
    fc.array(other, { maxLength: 8 }),
    fc.integer({ min: 1, max: 5000 }),
    async (packets, piece) => {
      const sent = packets.flatMap((packet) => [...packet]);
      assert.deepEqual(await through(Uint8Array.from(sent), piece), sent);
    },
  ));
});
