import assert from "node:assert/strict";
import { encodeTarget, type Target } from "./target.ts";
import { type Datagrams, Ip, type Refusal, RefusedError } from "../net/mod.ts";
import type { Incoming } from "../tunnel/mod.ts";
import { BroughtFlows, type BroughtTarget } from "./brought_flows.ts";

const ip = Ip.parse("10.244.0.9");
const source = { ip: Ip.parse("198.18.0.1"), port: 40_000 };
const brought: Target = { kind: "udp", ip, port: 1024, source };

function incomingOf(target: Target, { datagrams = true } = {}) {
  const answers: (Refusal | "accepted")[] = [];
  const incoming = {
    ...{ target: encodeTarget(target), datagrams },
    acceptDatagrams: () => {
      answers.push("accepted");
      return {} as Datagrams;
    },
    refuse: (refusal: Refusal) => void answers.push(refusal),
  } as unknown as Incoming;
  return { incoming, answers };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("BroughtFlows has what the manager brings taken, and passes on why it is not", async () => {
  const flows = new BroughtFlows();
  const asked: BroughtTarget[] = [];
  const early = incomingOf(brought);
  assert.ok(flows.serve(early.incoming));
  await turn();
  assert.deepEqual(early.answers, ["refused"]);

  const outcome: { why?: RefusedError } = {};
  const taking = flows.takeBy(async (target, incoming) => {
    asked.push(target);
    await turn();
    if (outcome.why) throw outcome.why;
    incoming.acceptDatagrams();
  });
  const first = incomingOf(brought);
  assert.ok(flows.serve(first.incoming));
  await turn();
  await turn();
  assert.deepEqual(first.answers, ["accepted"]);
  assert.deepEqual(asked, [{ ip, port: 1024, source }]);

  outcome.why = new RefusedError("unreachable", "a test");
  const second = incomingOf(brought);
  assert.ok(flows.serve(second.incoming));
  await turn();
  await turn();
  assert.deepEqual(second.answers, ["unreachable"]);

  taking[Symbol.dispose]();
  const late = incomingOf(brought);
  assert.ok(flows.serve(late.incoming));
  await turn();
  assert.deepEqual(late.answers, ["refused"]);
});

Deno.test("BroughtFlows leaves all other streams to others", () => {
  const flows = new BroughtFlows();
  using _taking = flows.takeBy(() => assert.fail("taken"));
  const others = [
    incomingOf({ kind: "udp", ip, port: 1024 }),
    incomingOf({ kind: "tcp", ip, port: 1024 }, { datagrams: false }),
    incomingOf(brought, { datagrams: false }),
  ];
  for (const { incoming, answers } of others) {
    assert.equal(flows.serve(incoming), false);
    assert.deepEqual(answers, []);
  }
});
