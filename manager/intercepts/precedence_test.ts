import assert from "node:assert/strict";
import type { Intercept, InterceptSpec, RequestMatch } from "../intercept.ts";
import { interceptOf } from "./intercept_fake.ts";
import { precedenceOf } from "./precedence.ts";

function header(name: string, value: string): RequestMatch {
  return { combine: "all", headers: [{ name, kind: "exact", value }] };
}

type One = Partial<InterceptSpec> & { uid: string; createdAt?: string };

const other = [{ port: 9090, protocol: "TCP" as const }];
const table: {
  what: string;
  intercepts: One[];
  inForce: string[];
  conflicts?: string[];
}[] = [
  { what: "none", intercepts: [], inForce: [] },
  {
    what: "two of all traffic: the first wins",
    intercepts: [
      { uid: "b", createdAt: "2026-01-01T00:00:02Z" },
      { uid: "a", createdAt: "2026-01-01T00:00:01Z" },
    ],
    inForce: ["a"],
    conflicts: ["b"],
  },
  {
    what: "two of the same second: the UID decides",
    intercepts: [
      { uid: "b", createdAt: "2026-01-01T00:00:01Z" },
      { uid: "a", createdAt: "2026-01-01T00:00:01Z" },
    ],
    inForce: ["a"],
    conflicts: ["b"],
  },
  {
    what: "two ports",
    intercepts: [{ uid: "a" }, { uid: "bb", ports: other }],
    inForce: ["a", "bb"],
  },
  {
    what: "TCP and UDP of one number",
    intercepts: [
      { uid: "a" },
      { uid: "bb", ports: [{ port: 8080, protocol: "UDP" }] },
    ],
    inForce: ["a", "bb"],
  },
  {
    what: "a match beside all traffic: the match is asked first",
    intercepts: [{ uid: "a" }, { uid: "bb", match: header("x-user", "b") }],
    inForce: ["bb", "a"],
  },
  {
    what: "different matches, in the order of their age",
    intercepts: [
      { uid: "bb", match: header("x-user", "b") },
      { uid: "a", match: header("x-user", "a") },
    ],
    inForce: ["a", "bb"],
  },
  {
    what: "the same match written otherwise",
    intercepts: [
      { uid: "a", match: header("x-user", "a") },
      { uid: "bb", match: { ...header("X-User", "a"), combine: "any" } },
    ],
    inForce: ["a"],
    conflicts: ["bb"],
  },
  {
    what: "the same match on another port",
    intercepts: [
      { uid: "a", match: header("x-user", "a") },
      { uid: "bb", match: header("x-user", "a"), ports: other },
    ],
    inForce: ["a", "bb"],
  },
  {
    what: "replace after intercept, and the other way round",
    intercepts: [{ uid: "a", mode: "replace" }, { uid: "bb" }],
    inForce: ["a"],
    conflicts: ["bb"],
  },
  {
    what: "one container replaced twice, by different ports",
    intercepts: [
      { uid: "a", mode: "replace" },
      { uid: "bb", mode: "replace", ports: other },
    ],
    inForce: ["a"],
    conflicts: ["bb"],
  },
  {
    what: "a wiretap and an ingest beside all traffic",
    intercepts: [
      { uid: "a", mode: "wiretap" },
      { uid: "bb" },
      { uid: "ccc", mode: "ingest", ports: [] },
    ],
    inForce: ["a", "bb", "ccc"],
  },
  {
    what: "who is in conflict keeps no third from what the first leaves",
    intercepts: [
      { uid: "a" },
      {
        uid: "bb",
        ports: [...other, { port: 8080, protocol: "TCP" }],
      },
      { uid: "ccc", ports: other },
    ],
    inForce: ["a", "ccc"],
    conflicts: ["bb"],
  },
];

for (const { what, intercepts, inForce, conflicts = [] } of table) {
  Deno.test(`precedenceOf() with ${what}`, () => {
    const told = precedenceOf(intercepts.map(interceptOf));
    assert.deepEqual(told.inForce.map((one) => one.metadata.uid), inForce);
    assert.deepEqual([...told.conflicts.keys()], conflicts);
  });
}

Deno.test("a conflict names its holder", () => {
  const { conflicts } = precedenceOf([
    interceptOf({ uid: "a" }),
    interceptOf({ uid: "bb" }),
  ]);
  assert.equal(
    conflicts.get("bb"),
    'port 8080 of Deployment "web" is intercepted by a-owner (a@laptop) as "a"',
  );
});

Deno.test("precedenceOf() leaves the traffic to who has it when another comes in the same second", () => {
  const [a, b] = ["a", "b"].map((uid) => interceptOf({ uid })) as [
    Intercept,
    Intercept,
  ];
  b.status = { phase: "Active" };
  a.status = { phase: "Conflict" };
  const { inForce, conflicts } = precedenceOf([a, b]);
  assert.deepEqual(inForce, [b]);
  assert.deepEqual([...conflicts.keys()], ["a"]);
});

Deno.test("precedenceOf() takes no more rules than agents do, whatever they say; who needs none is not kept out", () => {
  const headers = Array.from({ length: 16 }, (_, i) => ({
    ...{ name: `x-${i}`, kind: "exact" as const, value: "\u6f22".repeat(4096) },
  }));
  const long = Array.from({ length: 40 }, (_, i) =>
    interceptOf({
      ...{ uid: `a${i}`, createdAt: "2026-01-01T00:00:01Z" },
      match: { combine: "all", headers, methods: [`M${i}`] },
    }));
  const late = { createdAt: "2026-01-01T00:00:02Z" };
  const { inForce, conflicts } = precedenceOf([
    ...long,
    interceptOf({ ...late, uid: "short" }),
    interceptOf({ ...late, uid: "ingest", mode: "ingest", ports: [] }),
  ]);
  assert.equal(inForce.length, 15 + 2);
  assert.equal(conflicts.size, 40 - 15);
  assert.match(conflicts.values().next().value!, /too long for its agents/);
  const line = new TextEncoder().encode(
    JSON.stringify(inForce.map(({ spec }) => spec)),
  );
  assert.ok(line.length < 4 * 1024 * 1024, String(line.length));
});

Deno.test("precedenceOf() does not take long for as many as a user likes to make", () => {
  const many = Array.from(
    { length: 5_000 },
    (_, i) => interceptOf({ uid: `${i}`, match: header("x-user", `${i}`) }),
  );
  const startMs = performance.now();
  assert.ok(precedenceOf(many).inForce.length > 1_000);
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs < 1_000, `${tookMs} ms`);
});
