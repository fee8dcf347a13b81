import assert from "node:assert/strict";
import { CommandError } from "./_error.ts";
import {
  hasAny,
  isOfPlace,
  type Meaning,
  meantConnection,
  type UserStatus,
} from "./_meant_connection.ts";

/** What the flag `--use` gives. */
const use = (text: string) => new RegExp(`^(?:${text})$`);

function connection(
  name: string,
  context: string,
  { intercepts = [], wiretaps = [] }: Record<string, string[]> = {},
): UserStatus {
  const held = (names: string[]) =>
    names.map((name) =>
      ({ name, client: "", namespace: "shop", disposition: "ACTIVE" }) as const
    );
  return {
    ...{ running: true, version: "0.1.0", executable: "tp", pid: 1 },
    ...{ status: "Connected", name, kubernetes_context: context },
    manager_namespace: "ambassador",
    ...{ intercepts: held(intercepts), wiretaps: held(wiretaps) },
    ...{ replacements: [], ingests: [], proxy_vias: [] },
  };
}

const a = connection("dev-shop", "dev", { intercepts: ["web", "till"] });
const b = connection("dev-bank", "dev", { wiretaps: ["till", "safe"] });
const c = connection("live", "live");

interface Case extends Omit<Meaning, "action"> {
  is: string;
  of?: UserStatus[];
  expected: string | undefined | RegExp;
}

const cases: Case[] = [
  { is: "the only one", of: [a], expected: "dev-shop" },
  {
    ...{ is: "the only one, though it is not fit", of: [a] },
    ...{ isFit: () => false, expected: "dev-shop" },
  },
  { is: "the one that --use fits", use: use("l.*"), expected: "live" },
  {
    is: "none whose name --use fits in part",
    use: use("dev"),
    expected:
      /^Cannot go: no connection fits "dev" \(there is dev-shop, dev-bank, live\)/,
  },
  {
    is: "one of several, which must be said",
    expected:
      /^Cannot go: more than one connection can be meant \(dev-shop, dev-bank, live\)/,
  },
  {
    is: "one of several that --use fits",
    use: use("dev-.*"),
    expected:
      /^Cannot go: more than one connection fits "dev-\.\*" \(dev-shop, dev-bank\)/,
  },
  {
    is: "the one that --use leaves and that has it",
    ...{ use: use("dev-.*"), isFit: hasAny(["web"]), expected: "dev-shop" },
  },
  {
    is: "the one that has it",
    ...{ isFit: hasAny(["safe"]), expected: "dev-bank" },
  },
  {
    is: "one of several that have it",
    isFit: hasAny(["till"]),
    expected: /can be meant \(dev-shop, dev-bank\)/,
  },
  {
    is: "none where none has it",
    ...{ isFit: hasAny(["none"]), expected: undefined },
  },
  {
    is: "the one to a context",
    ...{ isFit: isOfPlace({ context: "live" }), expected: "live" },
  },
  {
    is: "one of several to a context",
    isFit: isOfPlace({ context: "dev" }),
    expected: /can be meant \(dev-shop, dev-bank\)/,
  },
  {
    is: "none by another manager",
    isFit: isOfPlace({ context: "dev", managerNamespace: "tools" }),
    expected: undefined,
  },
];

for (const { is, of = [a, b, c], expected, ...meaning } of cases) {
  Deno.test(`meantConnection() is ${is}`, () => {
    const told = () => meantConnection(of, { action: "go", ...meaning });
    if (!(expected instanceof RegExp)) {
      assert.equal(told(), expected);
      return;
    }
    assert.throws(told, (error) => {
      assert.ok(error instanceof CommandError);
      assert.match(error.message, expected);
      assert.match(error.remedy, /--use NAME|tp status/);
      return true;
    });
  });
}
