import assert from "node:assert/strict";
import fc from "fast-check";
import type { FakeDestination, Talk } from "../destination_fake.ts";
import { serve } from "../serve_fake.ts";
import { smugglingCorpus } from "../smuggling_corpus.ts";
import { ChunkScanner } from "./body_scanner.ts";
import { findHeadEnd, FramingError } from "./fields.ts";
import {
  anyAnswer,
  anyRequest,
  type MadeRequest,
  pieces,
} from "./message_fake.ts";
import { parseRequest } from "./request.ts";
import { parseResponse } from "./response.ts";

const sizes = fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 5 });

async function sendPieces(talk: Talk, octets: string, cuts: number[]) {
  for (const piece of pieces(octets, cuts)) {
    await talk.send(piece);
    await Promise.resolve();
  }
}

/** Reads each request as it was made and answers it; fails when other octets come. */
async function answerAll(
  destination: FakeDestination,
  expected: (readonly [MadeRequest, string])[],
  cuts: number[],
): Promise<void> {
  if (expected.length === 0) return;
  const talk = await destination.accept();
  for (const [request, answer] of expected) {
    assert.equal(await talk.octets(request.octets.length), request.octets);
    await sendPieces(talk, answer, cuts);
  }
  assert.equal(await talk.rest(), "");
}

Deno.test("however octets are cut, each request reaches its destination and each answer the client as it is", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyRequest, anyAnswer), { minLength: 1, maxLength: 5 }),
      sizes,
      sizes,
      async (all, cuts, answerCuts) => {
        const served = serve();
        const { client } = served;
        const answers = all.map(([, answer]) => answer).join("");
        const [, , got] = await Promise.all([
          sendPieces(client, all.map(([{ octets }]) => octets).join(""), cuts),
          Promise.all([true, false].map((toLaptop) =>
            answerAll(
              toLaptop ? served.laptop : served.app,
              all.filter(([request]) => request.toLaptop === toLaptop),
              answerCuts,
            )
          )),
          client.octets(answers.length).then((text) => {
            client.conn.close();
            return text;
          }),
        ]);
        assert.equal(got, answers);
        await served.over;
        assert.deepEqual(
          served.heads.map(({ method, target }) => [method, target]),
          all.map(([{ method, target }]) => [method, target]),
        );
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("however refused requests are cut, they are refused", async () => {
  const cases = smugglingCorpus.filter(({ outcome }) =>
    outcome === "refused" || outcome === "cut"
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...cases),
      sizes,
      async ({ octets, outcome }, cuts) => {
        const served = serve();
        const sent = sendPieces(served.client, octets, cuts).catch(() => {});
        assert.match(await served.client.rest(), /^HTTP\/1\.1 (400|431|505) /);
        await sent;
        await served.client.conn.closeWrite();
        await served.over;
        assert.equal(served.app.opened, outcome === "cut" ? 1 : 0);
      },
    ),
    { numRuns: 300 },
  );
});

/** Octets that look like HTTP often enough to come far. */
const nearly = fc.array(
  fc.constantFrom(
    ..."GET / HTTP/1.1\r\n".split(""),
    "GET / HTTP/1.1\r\n",
    "HTTP/1.1 200 OK\r\n",
    "content-length: ",
    "transfer-encoding: chunked\r\n",
    "\r\n",
    "\n",
    "\r",
    ":",
    ";",
    "0",
    "a",
    "f",
    "\0",
    "\xff",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
  ),
  { maxLength: 30 },
).map((parts) => Uint8Array.from(parts.join(""), (char) => char.charCodeAt(0)));

function typed(run: () => void): void {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof FramingError, String(error));
  }
}

Deno.test("heads of any octets are parsed or refused with a FramingError", () => {
  let parsed = 0;
  fc.assert(
    fc.property(nearly, (octets) =>
      typed(() => {
        const end = findHeadEnd(octets);
        if (end === undefined) return;
        const request = parseRequest(octets.subarray(0, end));
        parseResponse(octets.subarray(0, end), request);
        parsed++;
      })),
    { numRuns: 20_000 },
  );
  assert.ok(parsed > 0, "the octets never came to be a request");
});

Deno.test("chunks are cut at the same octet, or refused, however they come", () => {
  fc.assert(
    fc.property(nearly, sizes, (octets, cuts) => {
      const end = (parts: Uint8Array[]): number | "refused" => {
        const scanner = new ChunkScanner();
        let total = 0;
        try {
          for (const part of parts) total += scanner.scan(part);
          return total;
        } catch (error) {
          assert.ok(error instanceof FramingError);
          return "refused";
        }
      };
      const parts: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < octets.length; turn++) {
        const size = Math.max(1, cuts[turn % cuts.length]!);
        parts.push(octets.subarray(at, at + size));
        at += size;
      }
      assert.equal(end(parts), end([octets]));
    }),
    { numRuns: 5_000 },
  );
});
