import assert from "node:assert/strict";
import fc from "fast-check";
import { ConnSource } from "./_byte_source.ts";
import { type Body, bodyOf } from "./_http_body.ts";
import { cutAt, piecesConn, utf8 } from "./_pieces_fake.ts";
import { ObstacleError } from "./unreachable.ts";

function body(
  headers: Record<string, string>,
  { status = 200, pieces }: { status?: number; pieces: Uint8Array[] },
): { body: Body; source: ConnSource } {
  const source = new ConnSource(piecesConn(pieces), 64);
  const head = {
    status,
    headers: new Map(Object.entries(headers)),
    reusable: true,
  };
  return { body: bodyOf(source, head), source };
}

async function readAll(body: Body): Promise<string> {
  let text = "";
  for (let piece = await body.read(); piece; piece = await body.read()) {
    assert.ok(piece.length > 0);
    text += new TextDecoder("latin1").decode(piece);
  }
  assert.equal(await body.read(), null);
  return text;
}

const content = "0123456789abcdef".repeat(20);
const chunked = [1, 16, 200, 103].reduce(
  ({ text, at }, size) => ({
    text: `${text}${size.toString(16)};x=y\r\n${
      content.slice(at, at + size)
    }\r\n`,
    at: at + size,
  }),
  { text: "", at: 0 },
).text + "0\r\nTrailer: t\r\n\r\n";

const forms: { name: string; headers: Record<string, string>; wire: string }[] =
  [
    {
      name: "of a known length",
      headers: { "content-length": String(content.length) },
      wire: content,
    },
    {
      name: "in chunks",
      headers: { "transfer-encoding": "chunked" },
      wire: chunked,
    },
  ];

for (const { name, headers, wire } of forms) {
  Deno.test(`bodyOf() reads a body ${name} however it is cut, and not beyond it`, async () => {
    const bytes = utf8(`${wire}NEXT`);
    await fc.assert(fc.asyncProperty(fc.array(fc.nat()), async (cuts) => {
      const { body: read, source } = body(headers, {
        pieces: cutAt(bytes, cuts),
      });
      assert.equal(await readAll(read), content);
      while (source.peek().length < 4) assert.ok(await source.fill());
      assert.equal(new TextDecoder().decode(source.peek()), "NEXT");
    }));
  });

  Deno.test(`bodyOf() rejects when a body ${name} breaks off`, async () => {
    const pieces = [utf8(wire.slice(0, -10))];
    const { body: read } = body(headers, { pieces });
    await assert.rejects(readAll(read), { name: "ObstacleError" });
  });
}

Deno.test("bodyOf() reads a body without length to the end of the connection", async () => {
  const { body: read } = body({}, { pieces: [utf8("abc"), utf8("def")] });
  assert.equal(await readAll(read), "abcdef");
});

Deno.test("bodyOf() knows answers without a body", async () => {
  const { body: read } = body({}, { status: 204, pieces: [utf8("NEXT")] });
  assert.equal(await readAll(read), "");
});

Deno.test("bodyOf() refuses lengths and codings that make no sense", () => {
  for (
    const headers of [
      { "content-length": "-1" },
      { "content-length": "1, 2" },
      { "content-length": "0x1" },
      { "transfer-encoding": "gzip" },
    ]
  ) {
    assert.throws(() => body(headers, { pieces: [] }), ObstacleError);
  }
});

Deno.test("bodyOf() reads any garbage of chunks to an end or an ObstacleError", async () => {
  const alphabet = fc.constantFrom(..."0123456789abcf;\r\n xyz");
  const garbage = fc.array(alphabet).map((letters) => letters.join(""));
  await fc.assert(fc.asyncProperty(garbage, async (text) => {
    const { body: read } = body({ "transfer-encoding": "chunked" }, {
      pieces: [utf8(text)],
    });
    await readAll(read).catch((error) => {
      assert.ok(error instanceof ObstacleError, String(error));
    });
  }));
});
