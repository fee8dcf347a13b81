/**
 * Who is no agent, or no laptop that has the intercept, gets nothing at either door, and what is forbidden is told.
 *
 * Each kind of target has a row: without one this file does not compile.
 */
import assert from "node:assert/strict";
import { setLogLevel } from "../../log.ts";
import { Ip, type Refusal, type RefusedError } from "../../net/mod.ts";
import { createIdentity, type Session } from "../../tunnel/mod.ts";
import {
  type AgentTarget,
  encodeAgentTarget,
  encodePodTarget,
  type PodTarget,
} from "../agent_api.ts";
import { encodeTarget, type Target } from "../target.ts";
import { interceptOf } from "./intercept_fake.ts";
import {
  echo,
  http,
  openRelayPlace,
  openRules,
  readLine,
  refusedAs,
} from "./relay_place_fake.ts";

/** Something that is asked for, by who has shown that token before, if any. */
interface Wish {
  what: string;
  token?: string;
  target: Uint8Array;
  datagrams?: boolean | undefined;
  refusal: Refusal;
}

type OfKind<T extends { kind: string }, K extends T["kind"]> = Extract<
  T,
  { kind: K }
>;

const ip = Ip.parse("10.0.0.1");
const podTargets = {
  environment: { kind: "environment", container: "app" },
  files: { kind: "files", container: "app" },
  loopback: { kind: "loopback", port: http },
  address: { kind: "address", ip, port: http, intercept: "a" },
  log: { kind: "log", level: "debug", seconds: 60 },
} satisfies { [K in PodTarget["kind"]]: OfKind<PodTarget, K> };

/** What laptops ask for, what guards it, and what becomes of it for a laptop that may go nowhere and has no intercept. */
const ofLaptops = {
  tcp: {
    target: { kind: "tcp", ip, port: 80 },
    ...{ guard: "the leash", outcome: "forbidden" },
  },
  udp: {
    target: { kind: "udp", ip, port: 80 },
    ...{ guard: "the leash", outcome: "forbidden" },
  },
  echo: {
    target: { kind: "echo", ip },
    ...{ guard: "the leash", outcome: "forbidden" },
  },
  pod: {
    target: { kind: "pod", intercept: "a", wanted: podTargets.files },
    ...{ guard: "the intercept's session", outcome: "forbidden" },
  },
  lookup: {
    // No query, so that the cluster's DNS is not asked.
    target: { kind: "lookup", query: new Uint8Array(3) },
    ...{ guard: "the door alone", outcome: "failed" },
  },
  world: {
    target: { kind: "world" },
    ...{ guard: "the door alone", outcome: "accepted" },
  },
  direct: {
    target: { kind: "direct" },
    ...{ guard: "the door alone", outcome: "accepted" },
  },
  log: {
    target: { kind: "log", level: "info", seconds: 1 },
    ...{ guard: "the door alone", outcome: "accepted" },
  },
} as const satisfies {
  [K in Target["kind"]]: {
    target: OfKind<Target, K>;
    guard: "the leash" | "the intercept's session" | "the door alone";
    outcome: Refusal | "accepted";
  };
};

const ofLaptop = { kind: "laptop", intercept: "a", port: http } as const;
const rules = { kind: "rules", token: "web-1 60" } as const;
/** What agents ask for, and those who may not have it. */
const ofAgents = {
  rules: {
    target: rules,
    guards: [
      {
        what: "rules with a token that proves nothing",
        target: encodeAgentTarget({ kind: "rules", token: "web-1" }),
        refusal: "forbidden",
      },
      {
        what: "rules with an expired token",
        target: encodeAgentTarget({ kind: "rules", token: "web-1 -1" }),
        refusal: "forbidden",
      },
      {
        what: "rules with an expired token, of who has shown another",
        token: "web-1 60",
        target: encodeAgentTarget({ kind: "rules", token: "web-1 -1" }),
        refusal: "forbidden",
      },
      {
        what: "rules with another pod's token",
        token: "web-1 60",
        target: encodeAgentTarget({ kind: "rules", token: "web-2 60" }),
        refusal: "forbidden",
      },
      {
        what: "rules as datagrams",
        target: encodeAgentTarget(rules),
        datagrams: true,
        refusal: "forbidden",
      },
    ],
  },
  laptop: {
    target: ofLaptop,
    guards: [
      {
        what: "a laptop before rules",
        target: encodeAgentTarget(ofLaptop),
        refusal: "forbidden",
      },
      {
        what: "an intercept that there is not",
        token: "web-1 60",
        target: encodeAgentTarget({ ...ofLaptop, intercept: "b" }),
        refusal: "forbidden",
      },
      {
        what: "an intercept of another workload",
        token: "other 60",
        target: encodeAgentTarget(ofLaptop),
        refusal: "forbidden",
      },
      {
        what: "a port that is not intercepted",
        token: "web-1 60",
        target: encodeAgentTarget({ ...ofLaptop, port: { ...http, port: 22 } }),
        refusal: "forbidden",
      },
    ],
  },
} satisfies {
  [K in AgentTarget["kind"]]: {
    target: OfKind<AgentTarget, K>;
    guards: [Wish, ...Wish[]];
  };
};

/** Each kind that the agents' door does not know: of who has proven nothing, and of an agent. */
const foreignToAgents: Wish[] = [
  ...Object.values(ofLaptops).map(({ target }) => ({
    what: `"${target.kind}", as laptops ask`,
    target: encodeTarget(target),
    datagrams: isOfDatagrams(target),
  })),
  ...Object.values(podTargets).map((target) => ({
    what: `"${target.kind}", as the manager asks`,
    target: encodePodTarget(target),
  })),
  { what: "nothing", target: new Uint8Array() },
  {
    what: "all that a target may be, of nothing",
    target: new Uint8Array(16_384).fill(0x7b),
  },
].flatMap((wish): Wish[] => [
  { ...wish, refusal: "forbidden" },
  { ...wish, token: "web-1 60", refusal: "unknown-target" },
]);

const atAgentDoor: Wish[] = [
  ...Object.values(ofAgents).flatMap(({ guards }): Wish[] => guards),
  ...foreignToAgents,
];
for (const { what, token, target, datagrams, refusal } of atAgentDoor) {
  const who = token ? "an agent" : "who has proven nothing";
  Deno.test(`the agents' door: ${what}, of ${who}: ${refusal}`, async () => {
    await using manager = openRelayPlace();
    manager.rules.set([]);
    const laptop = await manager.laptop((one) => void echo(one));
    manager.intercepts.set("a", interceptOf({ uid: "a" }));
    const agent = await manager.agent();
    if (token) await readLine(await openRules(agent, token));
    assert.equal(await outcome(agent, { target, datagrams }), refusal);
    assert.equal(laptop.stats().streams, 0);
    assert.deepEqual(
      manager.accusations.map(({ message }) => message),
      refusal === "forbidden" ? ["forbidden to an agent"] : [],
    );
  });
}

Deno.test("the agents' door: a token that has expired meanwhile ends the session", async () => {
  await using manager = openRelayPlace();
  manager.rules.set([]);
  manager.intercepts.set("a", interceptOf({ uid: "a" }));
  const agent = await manager.agent();
  await readLine(await openRules(agent, "web-1 60"));
  manager.clock.advance(60_000);
  await agent.ended;
  await assert.rejects(agent.open(encodeAgentTarget(ofLaptop)));
});

const ownPort = { port: 53, protocol: "UDP" } as const;
const atLaptopDoor: (Omit<Wish, "refusal"> & {
  outcome: Refusal | "accepted";
  /** What the log says was wanted, of what is forbidden. */
  wanted?: string;
})[] = [
  ...Object.values(ofLaptops).map(({ target, guard, outcome }) => ({
    what: `"${target.kind}", guarded by ${guard}`,
    ...{ wanted: target.kind, outcome },
    target: encodeTarget(target),
    datagrams: isOfDatagrams(target),
  })),
  ...Object.values(podTargets).flatMap((wanted) =>
    ["a", "b"].map((intercept) => ({
      what: `"${wanted.kind}" of ${
        intercept === "a" ? "another laptop's" : "no"
      } intercept`,
      target: encodeTarget({ kind: "pod", intercept, wanted }),
      ...{ wanted: "pod", outcome: "forbidden" as const },
    }))
  ),
  ...Object.values(ofAgents).map(({ target }) => ({
    what: `"${target.kind}", as agents ask`,
    target: encodeAgentTarget(target),
    outcome: "unknown-target" as const,
  })),
  ...Object.values(podTargets).map((target) => ({
    what: `"${target.kind}", as the manager asks`,
    target: encodePodTarget(target),
    outcome: "unknown-target" as const,
  })),
  {
    what: "a pod's UDP port as bytes",
    target: encodeTarget({
      ...{ kind: "pod", intercept: "a" },
      wanted: { kind: "loopback", port: ownPort },
    }),
    outcome: "unknown-target",
  },
];
for (const { what, target, datagrams, outcome: told, wanted } of atLaptopDoor) {
  Deno.test(`the laptops' door: ${what}: ${told}`, async () => {
    await using manager = openRelayPlace();
    manager.rules.set([]);
    const agent = await manager.agent();
    await readLine(await openRules(agent, "web-1 60"));
    manager.intercepts.set("a", interceptOf({ uid: "a" }));
    const laptop = await manager.laptop();
    assert.equal(await outcome(laptop, { target, datagrams }), told);
    assert.equal(agent.stats().streams, 1);
    assert.deepEqual(
      manager.accusations.map(({ message, wanted }) => [message, wanted]),
      told === "forbidden" ? [["forbidden to a laptop", wanted]] : [],
    );
    // A wish for more of the log leaves a timer.
    setLogLevel("info");
  });
}

Deno.test("the laptops' door: who is forbidden what is another's is told by the user of his own intercepts", async () => {
  await using manager = openRelayPlace();
  const identity = await createIdentity();
  const laptop = await manager.laptop(undefined, identity);
  const { thumbprint: session } = identity;
  manager.intercepts.set("a", interceptOf({ uid: "a" }));
  manager.intercepts.set("b", interceptOf({ uid: "b", session }));
  const { pod: { target } } = ofLaptops;
  await assert.rejects(
    laptop.open(encodeTarget(target)),
    refusedAs("forbidden"),
  );
  const [line] = manager.accusations;
  assert.equal(line?.thumbprint, session);
  assert.deepEqual(line?.users, ["b-owner"]);
  assert.equal(line?.intercept, "a");
});

function isOfDatagrams({ kind }: Target): boolean {
  return kind === "udp" || kind === "echo";
}

/** What becomes of a stream, which is not used. */
async function outcome(
  session: Session,
  { target, datagrams }: Pick<Wish, "target" | "datagrams">,
): Promise<Refusal | "accepted"> {
  try {
    if (datagrams) (await session.openDatagrams(target)).close();
    else (await session.open(target)).reset();
    return "accepted";
  } catch (error) {
    return (error as RefusedError).refusal;
  }
}
