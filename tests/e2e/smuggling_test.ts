/** Requests hidden in others, sent to a workload of which a laptop has some: whatever they are, each side gets its own only. */
import assert from "node:assert/strict";
import { malformedHeads } from "../../http/h2/malformed_corpus.ts";
import { RawPeer, settings } from "../../http/h2/raw_peer_fake.ts";
import type { H2Field } from "../../http/h2/hpack_decoder.ts";
import { h2Preface } from "../../http/sniff.ts";
import {
  casesThatHide,
  type SmugglingCase,
} from "../../http/smuggling_corpus.ts";
import { connPair } from "../../net/mod.ts";
import { say } from "../cluster/mod.ts";
import { curlInCluster, sendOctets } from "../support/asked.ts";
import { EchoPlace } from "../support/echo_place.ts";

const mine = "x-user: a";

interface Sent {
  readonly name: string;
  readonly octets: string;
  readonly outcome: SmugglingCase["outcome"] | "two";
}

/** Every case with a path of its own, for a request of the laptop's or of the app's that hides one of the other's. */
function cases(outer: "laptop" | "app"): Sent[] {
  const hidden = (path: string) =>
    `GET ${path} HTTP/1.1\r\nHost: app\r\n` +
    (outer === "app" ? `${mine}\r\n\r\n` : "\r\n");
  const count = casesThatHide("").length;
  const all: Sent[] = Array.from({ length: count }, (_, i) => {
    const inner = hidden(`/smuggled/${outer}/${i}`);
    const { name, octets, outcome } = casesThatHide(inner)[i]!;
    const at = octets.indexOf(inner);
    const head = at === -1 ? octets : octets.slice(0, at);
    const rest = at === -1 ? "" : octets.slice(at);
    return { name, outcome, octets: marked(head, outer) + rest };
  });
  // What is no trick arrives: else nothing of this would show anything.
  const two = marked(
    `GET /outer/${outer} HTTP/1.1\r\nHost: app\r\n\r\n`,
    outer,
  );
  all.push({
    ...{ name: "two requests", outcome: "two" },
    octets: two + hidden(`/smuggled/${outer}/two`),
  });
  return all;
}

function marked(head: string, outer: "laptop" | "app"): string {
  if (outer === "app") return head;
  return head.replace("Host: app\r\n", `Host: app\r\n${mine}\r\n`);
}

/** Heads of HTTP/2 that would be two requests in HTTP/1, or none. */
function http2Cases(outer: "laptop" | "app"): string[] {
  const own: H2Field[] = outer === "laptop" ? [["x-user", "a"]] : [];
  return malformedHeads.map(([_, fields]) => {
    const peer = new RawPeer(connPair()[0]);
    const frames = [settings, peer.headers(1, [...fields, ...own])];
    return [h2Preface, ...frames].map((octets) =>
      String.fromCharCode(...octets)
    ).join("");
  });
}

/** Of requests for hidden paths, how many each side got. */
function hiddenOf(requests: readonly string[]): string[] {
  return requests.filter((one) => one.includes("/smuggled"));
}

Deno.test("a request that hides another never brings that one to the other side's app", async () => {
  await using place = await EchoPlace.open();
  const { cluster, namespace } = place;
  const a = await place.join("a");
  await a.tp.ok([
    ...["intercept", "echo-number", "--port", "8080:http", "--mount=false"],
    ...["--http-header", "x-user=a"],
  ]);
  const address = `echo-number.${namespace}:80`;
  const ofApp = async (): Promise<string[]> =>
    JSON.parse(
      await curlInCluster(cluster, namespace, [`http://${address}/requests`]),
    ) ?? [];
  for (const outer of ["laptop", "app"] as const) {
    const sent = cases(outer);
    const answers = await sendOctets(cluster, namespace, {
      address,
      octets: sent.map(({ octets }) => octets),
    });
    const told = { laptop: await a.requests(), app: await ofApp() };
    const other = outer === "laptop" ? "app" : "laptop";
    sent.forEach(({ name, outcome }, i) => {
      const begin = `of the ${outer}: ${name}: `;
      if (outcome !== "refused") return;
      assert.match(answers[i]!, /^HTTP\/1.1 (400|505) /, begin + answers[i]);
    });
    const paths = sent.map(({ outcome }, i) => ({
      path: `/smuggled/${outer}/${i}`,
      outcome,
    }));
    const found = (side: "laptop" | "app") =>
      paths.filter(({ path }) => told[side].includes(`GET ${path}`));
    // The only one that hides nothing.
    assert.ok(
      told[other].includes(`GET /smuggled/${outer}/two`),
      told[other].join(),
    );
    assert.ok(told[outer].includes(`GET /outer/${outer}`), told[outer].join());
    assert.ok(!told[outer].includes(`GET /smuggled/${outer}/two`));
    assert.deepEqual(found("laptop"), []);
    assert.deepEqual(found("app"), []);
    const h2 = http2Cases(outer);
    const before = [await a.requests(), await ofApp()];
    await sendOctets(cluster, namespace, { address, octets: h2 });
    assert.deepEqual([await a.requests(), await ofApp()], before);
    say(
      `${sent.length} cases of HTTP/1 and ${h2.length} of HTTP/2 in a request of the ${outer}'s: ` +
        `hidden requests at the laptop: ${hiddenOf(told.laptop)}; at the app: ${
          hiddenOf(told.app)
        }`,
    );
  }
});
