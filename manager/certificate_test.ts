import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { makeCertificate, validityOf } from "./certificate.ts";
import {
  encodeObjectIdentifier,
  encodeOctetString,
  encodeTime,
  encodeUnsigned,
} from "./der.ts";

const name = "one.manager.invalid";
const notBefore = new Date("2026-01-02T03:04:05Z");
const notAfter = new Date("2100-01-02T03:04:05Z");

Deno.test("DER: lengths, numbers, identifiers and times are as X.690 has them", () => {
  const table: [Uint8Array, string][] = [
    [encodeOctetString(new Uint8Array(3)), "0403000000"],
    [encodeOctetString(new Uint8Array(128)).subarray(0, 4), "04818000"],
    [encodeOctetString(new Uint8Array(65_536)).subarray(0, 5), "0483010000"],
    [encodeUnsigned(new Uint8Array([0, 0])), "020100"],
    [encodeUnsigned(new Uint8Array([0, 0x7f])), "02017f"],
    [encodeUnsigned(new Uint8Array([0x80, 0])), "0203008000"],
    [encodeObjectIdentifier("1.2.840.10045.4.3.2"), "06082a8648ce3d040302"],
    [encodeObjectIdentifier("2.5.29.17"), "0603551d11"],
    // UTCTime, then GeneralizedTime.
    [encodeTime(notBefore), "170d3236303130323033303430355a"],
    [encodeTime(notAfter), "180f32313030303130323033303430355a"],
  ];
  for (const [bytes, hex] of table) assert.equal(bytes.toHex(), hex);
});

Deno.test("makeCertificate() makes what signs itself, for the name and the time", async () => {
  const { cert } = await makeCertificate({ name, notBefore, notAfter });
  const read = new X509Certificate(cert);
  assert.equal(read.subjectAltName, `DNS:${name}`);
  assert.equal(read.issuer, read.subject);
  assert.equal(read.verify(read.publicKey), true);
  assert.equal(new Date(read.validFrom).getTime(), notBefore.getTime());
  assert.equal(new Date(read.validTo).getTime(), notAfter.getTime());
  assert.equal(read.ca, false);
});

Deno.test("makeCertificate() makes an authority that signs servers' certificates", async () => {
  const lasting = { notBefore, notAfter };
  const make = (name: string) =>
    makeCertificate({ ...lasting, name, authority: true });
  const [authority, other] = [await make("one CA"), await make("other CA")];
  const read = new X509Certificate(authority.cert);
  assert.equal(read.ca, true);
  assert.equal(read.subject, "CN=one CA");
  const server = await makeCertificate({ ...lasting, name, issuer: authority });
  const leaf = new X509Certificate(server.cert);
  assert.equal(leaf.issuer, "CN=one CA");
  assert.equal(leaf.ca, false);
  assert.equal(leaf.verify(read.publicKey), true);
  assert.equal(leaf.verify(new X509Certificate(other.cert).publicKey), false);
  const { notAfter: until } = validityOf(server);
  assert.equal(until.getTime(), notAfter.getTime());
  const trusted = `${other.cert}${authority.cert}`;
  await shakeHands({ served: server, trusted });
  await assert.rejects(
    shakeHands({ served: server, trusted: other.cert }),
    Deno.errors.InvalidData,
  );
});

/** Shakes hands with a server that has `served`, trusting `trusted` only. */
async function shakeHands(
  { served, trusted, hostname = name }: {
    served: { cert: string; key: string };
    trusted: string;
    hostname?: string;
  },
): Promise<void> {
  using listener = Deno.listenTls({
    ...{ hostname: "127.0.0.1", port: 0, ...served },
  });
  const accepting = listener.accept().then(async (conn) => {
    await conn.handshake().catch(() => {});
    conn.close();
  });
  const { port } = listener.addr as Deno.NetAddr;
  const below = await Deno.connect({ hostname: "127.0.0.1", port });
  using conn = await Deno.startTls(below, { hostname, caCerts: [trusted] });
  try {
    await conn.handshake();
  } finally {
    await accepting;
  }
}

Deno.test("a certificate is taken by who knows it, under its name and within its time, and by nobody else", async () => {
  const lasting = { name, notBefore, notAfter };
  const one = await makeCertificate(lasting);
  const other = await makeCertificate(lasting);
  const past = await makeCertificate({
    ...{ name, notBefore: new Date(0), notAfter: new Date(1_000) },
  });
  await shakeHands({ served: one, trusted: one.cert });
  const hostname = "other.manager.invalid";
  for (
    const refused of [
      { served: other, trusted: one.cert },
      { served: one, trusted: one.cert, hostname },
      { served: past, trusted: past.cert },
    ]
  ) {
    await assert.rejects(shakeHands(refused), Deno.errors.InvalidData);
  }
});
