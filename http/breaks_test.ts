import assert from "node:assert/strict";
import fc from "fast-check";
import type { Talk } from "./destination_fake.ts";
import { anyAnswer, anyRequest, pieces } from "./h1/message_fake.ts";
import { serve } from "./serve_fake.ts";

type Way = "closeWrite" | "close" | "reset";
const way = fc.constantFrom<Way>("closeWrite", "close", "reset");

/** Sends `octets` in two pieces, the second after a while, and ends so. */
async function sendAndEnd(talk: Talk, octets: string, cut: number, how: Way) {
  for (const piece of pieces(octets, [cut, octets.length])) {
    await talk.send(piece).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await talk.conn[how]();
}

Deno.test("however client and app break off, at any octet, the connection comes to its end", async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRequest, { minLength: 1, maxLength: 3 }),
      anyAnswer,
      fc.record({
        keep: fc.nat({ max: 600 }),
        cut: fc.integer({ min: 1, max: 200 }),
        answerKeep: fc.nat({ max: 200 }),
        answerCut: fc.integer({ min: 1, max: 100 }),
        clientWay: way,
        appWay: way,
      }),
      async (requests, answer, made) => {
        const served = serve({ limits: { lingerMs: 5, silenceMs: 1 } });
        const octets = requests.map((request) => request.octets).join("");
        const answering = [served.app, served.laptop].map(async (there) => {
          for (;;) {
            const talk = await Promise.race([
              there.accept(),
              served.over.then(() => undefined),
            ]);
            if (talk === undefined) return;
            talk.all();
            await sendAndEnd(
              talk,
              answer.slice(0, made.answerKeep),
              made.answerCut,
              made.appWay,
            );
          }
        });
        const heard = served.client.all();
        await sendAndEnd(
          served.client,
          octets.slice(0, made.keep),
          made.cut,
          made.clientWay,
        );
        const { text } = await heard;
        if (text !== "") answered++;
        served.client.conn.close();
        await served.over;
        await Promise.all(answering);
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(answered > 20, `only ${answered} clients heard anything`);
});
