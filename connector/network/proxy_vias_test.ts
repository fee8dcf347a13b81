import assert from "node:assert/strict";
import { FakeClock } from "../../net/clock_fake.ts";
import { Ip, RefusedError, Subnet } from "../../net/mod.ts";
import { world } from "../cluster/manager_fake.ts";
import { ConnectError } from "../failure.ts";
import type { InterceptRequest } from "../intercepts/api.ts";
import type { HeldIntercept, HeldParts } from "../intercepts/held_intercept.ts";
import { ProxyVias } from "./proxy_vias.ts";
import { parseSubnetWishes } from "./subnet_wishes.ts";

const parse = (text: string) => Subnet.parse(text);
const quiet = { signal: new AbortController().signal, tell: () => {} };

/** Intercepts are given the number of their making for a UID. */
function open(proxyVia: string[]) {
  const clock = new FakeClock();
  const state = {
    serviceSubnets: [parse("10.96.0.0/16")],
    podSubnets: [parse("10.244.0.0/24")],
    also: [] as Subnet[],
    failure: undefined as Error | undefined,
    requests: [] as InterceptRequest[],
    held: [] as { parts: HeldParts | undefined }[],
  };
  const vias = new ProxyVias({
    wishes: parseSubnetWishes({ proxyVia }),
    reached: () => ({ world: { ...world, ...state }, also: state.also }),
    clock,
  });
  const exitOf = (ip: string) =>
    vias.through(Ip.parse(ip), {
      ...quiet,
      open: (exit) => Promise.resolve(exit),
    });
  const intercepts = {
    open(request: InterceptRequest): Promise<HeldIntercept> {
      state.requests.push(request);
      if (state.failure) return Promise.reject(state.failure);
      const id = String(state.requests.length);
      const parts = { info: () => ({ id }) } as unknown as HeldParts;
      const held = { parts };
      state.held.push(held);
      return Promise.resolve(held as HeldIntercept);
    },
  };
  return { state, vias, intercepts, exitOf, clock };
}

const gone = { name: "RefusedError", refusal: "unreachable" };

Deno.test("ProxyVias opens one intercept on each workload, with all of its subnets", async () => {
  const { state, vias, intercepts, exitOf } = open(
    ["service=web", "203.0.113.0/24=shop/web", "fd00::/64=web", "pods=local"],
  );
  await vias.open(intercepts, quiet);
  const said = state.requests.map(({ name, mode, namespace, subnets }) => [
    ...[name, mode, namespace, subnets?.join()],
  ]);
  assert.deepEqual(said, [
    ["proxy-via-web", "proxy-via", undefined, "10.96.0.0/16,fd00::/64"],
    ["proxy-via-web-2", "proxy-via", "shop", "203.0.113.0/24"],
  ]);
  assert.equal(await exitOf("fd00::1"), "1");
  assert.equal(await exitOf("203.0.113.9"), "2");
  assert.equal(await exitOf("10.244.0.9"), undefined);
  assert.equal(state.requests.length, 2);
});

Deno.test("ProxyVias opens another intercept for what the cluster has got since, once", async () => {
  const { state, vias, intercepts, exitOf } = open(["pods=web"]);
  await vias.open(intercepts, quiet);
  const later = "10.244.1.9";
  assert.equal(await exitOf(later), undefined);
  state.podSubnets.push(parse("10.244.1.0/24"), parse("10.244.7.0/24"));
  const both = await Promise.all([exitOf(later), exitOf(later)]);
  assert.deepEqual(both, ["2", "2"]);
  const { name, subnets } = state.requests[1]!;
  assert.deepEqual([name, subnets], ["proxy-via-web-2", [
    ...["10.244.1.0/24", "10.244.7.0/24"],
  ]]);
  assert.equal(await exitOf("10.244.0.9"), "1");
});

Deno.test("ProxyVias rests after an intercept that could not be had", async () => {
  const { state, vias, intercepts, exitOf, clock } = open(["also=web"]);
  await vias.open(intercepts, quiet);
  assert.equal(state.requests.length, 0);
  state.also.push(parse("203.0.113.7"));
  state.failure = new Error("a test");
  const ip = "203.0.113.7";
  await assert.rejects(exitOf(ip), gone);
  state.failure = undefined;
  await assert.rejects(exitOf(ip), gone);
  assert.equal(state.requests.length, 1);
  clock.advance(10_000);
  assert.equal(await exitOf(ip), "2");
});

Deno.test("ProxyVias dials by no other way when an intercept was ended, and opens no other", async () => {
  const { state, vias, intercepts, exitOf } = open(["service=web"]);
  await vias.open(intercepts, quiet);
  state.held[0]!.parts = undefined;
  await assert.rejects(exitOf("10.96.0.7"), gone);
  state.serviceSubnets.push(parse("10.97.0.0/16"));
  await assert.rejects(exitOf("10.97.0.7"), gone);
  assert.equal(state.requests.length, 1);
});

Deno.test("ProxyVias refuses before its intercepts are there", async () => {
  const { exitOf } = open(["service=web"]);
  await assert.rejects(exitOf("10.96.0.7"), gone);
});

Deno.test("ProxyVias has an app wait while no pod is there to dial, for a while and no longer than it wants", async () => {
  const { vias, intercepts, clock } = open(["service=web"]);
  await vias.open(intercepts, quiet);
  const ip = Ip.parse("10.96.0.7");
  const dial = (readyMs: number, { signal } = quiet) => {
    const readyAt = clock.now() + readyMs;
    const open = () =>
      clock.now() < readyAt
        ? Promise.reject(new RefusedError("gone", "a test"))
        : Promise.resolve("dialled");
    return vias.through(ip, { signal, open }).catch((error) => error.refusal);
  };
  const after = async (ms: number, dialled: Promise<string>) => {
    for (let at = 0; at < ms; at += 50) {
      await new Promise((resolve) => setTimeout(resolve));
      clock.advance(50);
    }
    return await dialled;
  };
  assert.equal(await after(5_000, dial(4_000)), "dialled");
  assert.equal(await after(6_000, dial(20_000)), "gone");
  const over = new AbortController();
  const dialled = dial(20_000, { ...quiet, signal: over.signal });
  over.abort();
  assert.equal(await dialled, "gone");
});

const told: [cause: string, expected: string][] = [
  ['Cannot intercept "web": it may be both', "it may be both"],
  ["Cannot intercept: its pod does not come", "its pod does not come"],
  ['Cannot intercept in namespace "a": no', 'in namespace "a": no'],
  ['No Deployment matching "web"', 'No Deployment matching "web"'],
];
for (const [cause, state] of told) {
  Deno.test(`ProxyVias tells which workload it is: ${cause}`, async () => {
    const { state: place, vias, intercepts } = open(["all=web"]);
    const failure = { kind: "workload-unknown", cause } as const;
    place.failure = new ConnectError(failure);
    await assert.rejects(vias.open(intercepts, quiet), (error) => {
      assert.ok(error instanceof ConnectError);
      assert.equal(error.failure.kind, "workload-unknown");
      assert.equal(
        error.message,
        `Cannot dial from the pods of "web": ${state}`,
      );
      return true;
    });
  });
}
