/** Who is no agent, or no laptop that has the intercept, gets nothing at either door. */
import assert from "node:assert/strict";
import { Ip, type Refusal } from "../../net/mod.ts";
import {
  type AgentTarget,
  encodeAgentTarget,
  encodePodTarget,
  type PodTarget,
} from "../agent_api.ts";
import { encodeTarget } from "../target.ts";
import { interceptOf } from "./intercept_fake.ts";
import {
  echo,
  http,
  openRelayPlace,
  openRules,
  readLine,
  refusedAs,
} from "./relay_place_fake.ts";

const laptopTarget: AgentTarget = {
  kind: "laptop",
  intercept: "a",
  port: http,
};
const podTarget: PodTarget = { kind: "files", container: "app" };
const atAgentDoor: {
  what: string;
  token?: string;
  target: Uint8Array;
  datagrams?: boolean;
  refusal: Refusal;
}[] = [
  {
    what: "before rules",
    target: encodeAgentTarget(laptopTarget),
    refusal: "forbidden",
  },
  {
    what: "rules with a token that proves nothing",
    target: encodeAgentTarget({ kind: "rules", token: "web-1" }),
    refusal: "forbidden",
  },
  { what: "nothing", target: new Uint8Array(), refusal: "forbidden" },
  {
    what: "rules as datagrams",
    target: encodeAgentTarget({ kind: "rules", token: "web-1 60" }),
    datagrams: true,
    refusal: "forbidden",
  },
  {
    what: "an address, as laptops ask",
    token: "web-1 60",
    target: encodeTarget({ kind: "tcp", ip: Ip.parse("10.0.0.1"), port: 80 }),
    refusal: "unknown-target",
  },
  {
    what: "the view of the cluster, as laptops ask",
    token: "web-1 60",
    target: encodeTarget({ kind: "world" }),
    refusal: "unknown-target",
  },
  {
    what: "a pod, as the manager asks",
    token: "web-1 60",
    target: encodePodTarget(podTarget),
    refusal: "unknown-target",
  },
  {
    what: "all that a target may be, of nothing",
    token: "web-1 60",
    target: new Uint8Array(16_384).fill(0x7b),
    refusal: "unknown-target",
  },
  {
    what: "an intercept that there is not",
    token: "web-1 60",
    target: encodeAgentTarget({ ...laptopTarget, intercept: "b" }),
    refusal: "forbidden",
  },
  {
    what: "an intercept of another workload",
    token: "other 60",
    target: encodeAgentTarget(laptopTarget),
    refusal: "forbidden",
  },
  {
    what: "a port that is not intercepted",
    token: "web-1 60",
    target: encodeAgentTarget({ ...laptopTarget, port: { ...http, port: 22 } }),
    refusal: "forbidden",
  },
];
for (const { what, token, target, datagrams, refusal } of atAgentDoor) {
  Deno.test(`the agents' door: ${what}: ${refusal}`, async () => {
    await using manager = openRelayPlace();
    manager.rules.set([]);
    const laptop = await manager.laptop((one) => void echo(one));
    manager.intercepts.set("a", interceptOf({ uid: "a" }));
    const agent = await manager.agent();
    if (token) await readLine(await openRules(agent, token));
    await assert.rejects(
      datagrams ? agent.openDatagrams(target) : agent.open(target),
      refusedAs(refusal),
    );
    assert.equal(laptop.stats().streams, 0);
  });
}

const atLaptopDoor: {
  what: string;
  target: Uint8Array;
  refusal: Refusal;
}[] = [
  {
    what: "rules, as agents ask",
    target: encodeAgentTarget({ kind: "rules", token: "web-1 60" }),
    refusal: "unknown-target",
  },
  {
    what: "a laptop, as agents ask",
    target: encodeAgentTarget(laptopTarget),
    refusal: "unknown-target",
  },
  {
    what: "another laptop's intercept",
    target: encodeTarget({ kind: "pod", intercept: "a", wanted: podTarget }),
    refusal: "forbidden",
  },
  {
    what: "an intercept that there is not",
    target: encodeTarget({ kind: "pod", intercept: "b", wanted: podTarget }),
    refusal: "forbidden",
  },
  {
    what: "a pod's UDP port as bytes",
    target: encodeTarget({
      ...{ kind: "pod", intercept: "a" },
      wanted: { kind: "loopback", port: { port: 53, protocol: "UDP" } },
    }),
    refusal: "unknown-target",
  },
];
for (const { what, target, refusal } of atLaptopDoor) {
  Deno.test(`the laptops' door: ${what}: ${refusal}`, async () => {
    await using manager = openRelayPlace();
    manager.rules.set([]);
    const agent = await manager.agent((one) => void echo(one));
    await readLine(await openRules(agent, "web-1 60"));
    manager.intercepts.set("a", interceptOf({ uid: "a" }));
    const laptop = await manager.laptop();
    await assert.rejects(laptop.open(target), refusedAs(refusal));
    assert.equal(agent.stats().streams, 1);
  });
}
