/** What one stream of HTTP/2 does to its peer and to other streams, by agent and laptop as by the app: resets and flow control. */
import assert from "node:assert/strict";
import { say } from "../cluster/mod.ts";
import { askUntilRight, inClient } from "../support/asked.ts";
import { EchoPlace } from "../support/echo_place.ts";
import { peakMiB } from "../support/pod_memory.ts";

/** What `app streams` prints (tests/app/streams.go). */
interface StreamsTold {
  readonly who: string;
  readonly connections: number;
  readonly cancelledChat: string;
  readonly refusedChat: string;
  readonly resetByClient: string;
  readonly resetByServer: string;
  readonly window: readonly number[];
  readonly heldAnswers: readonly number[];
  readonly heldRequests: readonly number[];
  readonly slowestMs: number;
  readonly bulk: boolean;
  readonly released: readonly string[];
}

const mib = 2 ** 20;
/** Of 64 MiB that nobody reads: the client's window is 4 MiB, all on the way may hold as much again. */
const heldAnswerLimit = 8 * mib;
/** The server's window is 256 KiB. */
const heldRequestLimit = 4 * mib;
const slowestLimitMs = 2_000;
/** With 1 GiB that is held, in five rounds. */
const agentLimitMiB = 160;

function assertStreams(told: StreamsTold, who: RegExp): void {
  const { slowestMs, heldAnswers, heldRequests, released } = told;
  const all = JSON.stringify(told);
  assert.match(told.who, who);
  assert.equal(told.connections, 1, all);
  assert.match(told.cancelledChat, /Canceled/, all);
  assert.equal(told.refusedChat, `ResourceExhausted [${told.who}]`);
  assert.match(told.resetByClient, /; ENHANCE_YOUR_CALM$/, all);
  assert.match(told.resetByServer, /; INTERNAL_ERROR; received from peer$/);
  assert.deepEqual(told.window, [1_000, 1_500, 1_000]);
  assert.ok(Math.max(...heldAnswers) < heldAnswerLimit, all);
  assert.ok(Math.max(...heldRequests) < heldRequestLimit, all);
  assert.ok(told.bulk, all);
  assert.ok(slowestMs < slowestLimitMs, `${slowestMs} ms`);
  assert.deepEqual(released.filter((one) => one === ""), [], all);
}

Deno.test("streams of HTTP/2 and gRPC are reset by each side, and wait for nobody but their own reader, by agent and laptop as by the app", async (t) => {
  await using place = await EchoPlace.open();
  const { cluster, namespace } = place;
  const a = await place.join("a");
  const name = "echo-number";
  const host = `${name}.${namespace}`;
  const streams = async (header: string, who: RegExp) => {
    const { code, stdout, stderr } = await cluster.kubectl([
      ...[...inClient(namespace, "client"), "/app", "streams"],
      ...["-http", `${host}:80`, "-grpc", `${host}:9090`, "-header", header],
    ]);
    assert.equal(code, 0, stderr);
    const told: StreamsTold = JSON.parse(stdout);
    assertStreams(told, who);
    const most = (octets: readonly number[]) =>
      (Math.max(...octets) / mib).toFixed(2);
    say(
      `of 64 MiB that nobody reads ${
        most(told.heldAnswers)
      } MiB were sent by the server, ` +
        `${
          most(told.heldRequests)
        } MiB by the client; others took ${told.slowestMs} ms at most`,
    );
  };
  const marked = "x-user: a";
  const app = /^echo-number-/;
  const laptop = /^a$/;
  const intercept = async (flags: string[], expect: Record<string, string>) => {
    const ports = ["--port", "8080:http", "--port", "9090:grpc"];
    await a.tp.ok(["intercept", name, ...ports, "--mount=false", ...flags]);
    const url = ["http", "-url", `http://${host}/who`];
    await askUntilRight(cluster, namespace, url, { expect });
  };

  await t.step("no agent", () => streams("", app));
  await intercept(["--http-header", "x-user=a"], {
    [marked]: "a",
    none: "echo-number-*",
  });
  await t.step(
    "requests of one laptop: its own",
    () => streams(marked, laptop),
  );
  await t.step("requests of one laptop: others", () => streams("", app));
  await a.tp.ok(["leave", name]);
  await t.step("an agent without a rule", () => streams(marked, app));
  await intercept([], { none: "a" });
  await t.step("all of a port", () => streams("", laptop));
  if (!cluster.isBed) return;
  const agent = await peakMiB(cluster, {
    ...{ namespace, selector: `app=${name}`, container: "traffic-agent" },
  });
  say(`most memory: agent ${agent} MiB`);
  assert.ok(agent < agentLimitMiB, `${agent} MiB`);
});
