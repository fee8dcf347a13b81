/** What HTTP/1.1 can say beside heads and bodies arrives by agent and laptop as it was sent: chunks, trailers, interim answers, and what comes slowly. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { askUntilRight, curlInCluster, sendOctets } from "../support/asked.ts";
import { EchoPlace } from "../support/echo_place.ts";
import { type RawAnswer, readAnswers } from "../support/raw_answers.ts";

const body = "hello world";
const digest = createHash("sha256").update(body).digest("hex");
/** A request takes two seconds then. */
const dribble = { octets: 16, everyMs: 100 };

interface Side {
  readonly name: string;
  /** Lines of the head of a request that is this side's. */
  readonly fields: string;
  readonly who: RegExp;
}

/** In chunks of which one has an extension, with a trailer. */
function chunked(path: string, { fields }: Side): string {
  return `POST ${path} HTTP/1.1\r\nHost: app\r\nTE: trailers\r\n` +
    `Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n${fields}\r\n` +
    "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n";
}

function assertSeen(answer: RawAnswer | undefined, { who }: Side): void {
  assert.equal(answer?.status, 200, JSON.stringify(answer));
  const seen = JSON.parse(answer!.body);
  assert.match(seen.who, who);
  const { length, sha256, trailers } = seen;
  assert.deepEqual({ length, sha256, trailers }, {
    ...{ length: body.length, sha256: digest },
    trailers: { "X-Sum": [String(body.length)] },
  });
}

function assertEchoed(answer: RawAnswer | undefined, { who }: Side): void {
  assert.equal(answer?.status, 200, JSON.stringify(answer));
  assert.equal(answer!.body, body);
  assert.equal(answer!.trailers.get("x-sha256"), digest);
  assert.match(answer!.trailers.get("x-who") ?? "", who);
}

Deno.test("chunks, trailers, interim answers and slow requests are the same by agent and laptop as by the app", async (t) => {
  await using place = await EchoPlace.open();
  const { cluster, namespace } = place;
  const a = await place.join("a");
  const host = `echo-number.${namespace}`;
  const send = async (octets: string[], pace?: typeof dribble) => {
    const all = { address: `${host}:80`, octets, ...pace && { pace } };
    const answers = await sendOctets(cluster, namespace, all);
    return answers.map(readAnswers);
  };
  const app = /^echo-number-/;
  const marked = "X-User: a\r\n";
  const ofApp = { name: "the app", fields: "", who: app };
  const ofLaptop = { name: "the laptop", fields: marked, who: /^a$/ };
  const flags = ["--port", "8080:http", "--mount=false"];
  const mine = [...flags, "--http-header", "x-user=a"];
  const rounds: [string, { flags: string[]; sides: Side[] }][] = [
    ["of requests", { flags: mine, sides: [ofLaptop, ofApp] }],
    ["of none", {
      flags: [],
      sides: [ofApp, { ...ofApp, name: "the app, too", fields: marked }],
    }],
    ["of all", {
      flags,
      sides: [{ ...ofLaptop, fields: "" }, {
        ...ofLaptop,
        name: "the laptop, too",
      }],
    }],
  ];
  for (const [round, { flags, sides }] of rounds) {
    if (flags.length > 0) {
      await a.tp.ok(["intercept", "echo-number", ...flags]);
    }
    const of = (fields: string) => {
      const { who } = sides.find((side) => side.fields === fields)!;
      return who === app ? "echo-number-*" : "a";
    };
    await askUntilRight(
      cluster,
      namespace,
      ["http", "-url", `http://${host}`],
      {
        expect: { "x-user: a": of(marked), none: of("") },
      },
    );
    for (const [i, side] of sides.entries()) {
      const other = sides[1 - i]!;
      const field = side.fields.trim();
      const curl = (...args: string[]) =>
        curlInCluster(cluster, namespace, [
          ...[...field === "" ? [] : ["-H", field], ...args],
        ]);
      const h2 = ["-i", "--http2-prior-knowledge"];
      const whole = [chunked("/trailers", side), chunked("/seen", side)];
      const since = performance.now();
      // Each waits for a while: they do so at the same time.
      const [said, dribbled, slow, h2Hinted, h2Echoed] = await Promise.all([
        send([
          ...whole,
          [whole[0], chunked("/seen", other), whole[1]].join(""),
          `GET /hints HTTP/1.1\r\nHost: app\r\n${side.fields}\r\n`,
          `POST /seen HTTP/1.1\r\nHost: app\r\n${side.fields}` +
          `Expect: 100-continue\r\nContent-Length: 11\r\n\r\n${body}`,
        ]),
        send(whole, dribble),
        curl(`http://${host}/slow?ms=1500`)
          .then((told) => ({ told, ms: performance.now() - since })),
        curl(...h2, `http://${host}/hints`),
        curl(...h2, "-d", body, `http://${host}/trailers`),
      ]);
      const [echoed, seen, mixed, hinted, continued] = said;
      const begin = `${round}: ${side.name}`;
      await t.step(`${begin}: chunks and trailers, both ways`, () => {
        assert.equal(echoed!.length, 1);
        assertEchoed(echoed![0], side);
        assert.equal(seen!.length, 1);
        assertSeen(seen![0], side);
      });
      await t.step(`${begin}: what follows trailers on the connection`, () => {
        assert.equal(mixed!.length, 3);
        assertEchoed(mixed![0], side);
        assertSeen(mixed![1], other);
        assertSeen(mixed![2], side);
      });
      await t.step(`${begin}: in pieces, slowly`, () => {
        const [echoed, seen] = dribbled;
        assertEchoed(echoed![0], side);
        assertSeen(seen![0], side);
      });
      await t.step(`${begin}: interim answers`, () => {
        const statuses = (answers: RawAnswer[] = []) =>
          answers.map(({ status }) => status);
        assert.deepEqual(statuses(hinted), [103, 200]);
        assert.match(
          hinted![0]!.head,
          /^link: <\/style\.css>; rel=preload\r$/im,
        );
        assert.match(JSON.parse(hinted![1]!.body).who, side.who);
        assert.deepEqual(statuses(continued), [100, 200]);
        const { who, length, sha256 } = JSON.parse(continued![1]!.body);
        assert.match(who, side.who);
        assert.deepEqual([length, sha256], [body.length, digest]);
      });
      await t.step(`${begin}: an answer that takes its time`, () => {
        assert.match(JSON.parse(slow.told).who, side.who);
        assert.ok(slow.ms >= 1_500, `${slow.ms} ms`);
      });
      await t.step(`${begin}: HTTP/2's interim answers and trailers`, () => {
        assert.match(
          h2Hinted,
          /^HTTP\/2 103 \r\n[^]*^link: [^]*^HTTP\/2 200 \r\n/im,
        );
        assert.match(h2Echoed, new RegExp(`x-sha256: ${digest}\r?$`, "im"));
      });
    }
    if (flags.length > 0) await a.tp.ok(["leave", "echo-number"]);
  }
});
