/**
 * Where an admin wants it, nobody has all of a workload's traffic, only what conditions say that somebody can mean, nor
 * variables that are withheld.
 */
import assert from "node:assert/strict";
import type { InterceptSpec, RequestMatch } from "../../manager/api.ts";
import { noGlobalPolicyName } from "../../manager/client.ts";
import { type Cluster, openCluster, say, waitFor } from "../cluster/mod.ts";
import { openPlace } from "../support/intercept_place.ts";
import {
  applyManifests,
  Somebody,
  specOf,
} from "../support/intercept_writers.ts";
import { managerPlace } from "../support/manager_place.ts";
import { deploySmall } from "../support/small_workloads.ts";

const tcp = { port: 8080, protocol: "TCP" } as const;
const udp = { port: 8080, protocol: "UDP" } as const;

function header(value: string, kind: "exact" | "wildcard" | "regex" = "exact") {
  return { name: "x-user", kind, value };
}

function path(kind: "equal" | "prefix" | "regex", value: string) {
  return { kind, value };
}

function all(match: Omit<RequestMatch, "combine">): RequestMatch {
  return { combine: "all", ...match };
}

function any(match: Omit<RequestMatch, "combine">): RequestMatch {
  return { combine: "any", ...match };
}

const ofAnna = header("anna");
const methods = ["GET"];

/** What is wrong with each. */
const replaced = /Containers are not replaced in this cluster/;
const withoutMatch = /Intercepts and wiretaps of all traffic are not allowed/;
const datagrams = /Datagrams are everybody's/;
const wide =
  /Conditions that everybody's requests fulfil, as .*, are not allowed/;

const denied: [Partial<InterceptSpec>, RegExp][] = [
  [{ mode: "intercept" }, withoutMatch],
  [{ mode: "wiretap" }, withoutMatch],
  [{ mode: "intercept", ports: [udp] }, withoutMatch],
  [{ mode: "replace" }, replaced],
  [{ mode: "replace", ports: [] }, replaced],
  [{ mode: "replace", match: all({ headers: [ofAnna] }) }, replaced],
  [{ ports: [tcp, udp], match: all({ headers: [ofAnna] }) }, datagrams],
  ...[
    all({ path: path("prefix", "") }),
    all({ path: path("prefix", "/") }),
    ...["", "^", "$", ".", ".*", ".+", "^.*$", "^/", "/", "[^x]", "(?s:.)"]
      .map((regex) => all({ path: path("regex", regex) })),
    ...["*", "**", ""].map((value) =>
      all({ headers: [header(value, "wildcard")] })
    ),
    ...["", "^", ".", ".*", ".+", "^.{1,99}$", "\\S", "[a-zA-Z0-9]", "(anna)?"]
      .map((regex) => all({ headers: [header(regex, "regex")] })),
    all({ methods }),
    all({ methods, path: path("prefix", "/") }),
    all({ headers: [header("*", "wildcard")], path: path("regex", ".*") }),
    any({ headers: [ofAnna, header(".*", "regex")] }),
    any({ headers: [ofAnna], path: path("prefix", "/") }),
    any({ headers: [ofAnna], methods }),
  ].map((match) => [{ match }, wide] as [Partial<InterceptSpec>, RegExp]),
];

const allowed: Partial<InterceptSpec>[] = [
  { mode: "ingest", ports: [] },
  { mode: "proxy-via", ports: [], subnets: ["10.9.0.0/16"] },
  ...[
    all({ headers: [ofAnna] }),
    all({ headers: [header("an*", "wildcard")] }),
    all({ headers: [header("^(anna|ben)$", "regex")] }),
    all({ headers: [header("\\banna\\b", "regex")] }),
    all({ path: path("equal", "/") }),
    all({ path: path("prefix", "/api") }),
    all({ path: path("regex", "^/api/.*$") }),
    all({ headers: [ofAnna, header("*", "wildcard")], methods }),
    all({ headers: [ofAnna], path: path("prefix", "/") }),
    any({ headers: [ofAnna, header("ben")], path: path("prefix", "/api") }),
  ].flatMap((match) => [{ match }, { mode: "wiretap", match } as const]),
];

/** The policies of a manager's place, which outlive its namespace. */
function removing(cluster: Cluster, namespace: string): AsyncDisposable {
  const kinds = "validatingadmissionpolicybinding,validatingadmissionpolicy";
  const name = noGlobalPolicyName(namespace);
  return {
    [Symbol.asyncDispose]: async () => {
      await cluster.kubectl(["delete", kinds, name]);
    },
  };
}

Deno.test("what everybody's requests fulfil is denied, whoever writes the object", async () => {
  const cluster = await openCluster();
  await using place = await managerPlace(cluster);
  const { namespace: manager } = place;
  await using _ = removing(cluster, manager);
  await applyManifests(cluster, { namespace: manager, allowGlobal: false });
  await using namespace = await cluster.namespace();
  const { stdout: owner } = await cluster.kubectl(
    ["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"],
  );
  const admin = new Somebody(cluster, namespace.name);
  await admin.denied(specOf(owner, { manager }));
  for (const [wanted, why] of denied) {
    const told = await admin.create(
      "one",
      specOf(owner, { manager, ...wanted }),
    );
    assert.match(told, why, JSON.stringify(wanted));
  }
  for (const [i, wanted] of allowed.entries()) {
    const spec = specOf(owner, { manager, ...wanted });
    assert.equal(
      await admin.create(`ok-${i}`, spec),
      "",
      JSON.stringify(wanted),
    );
  }
  const broken = all({ headers: [header("(", "regex")] });
  assert.match(
    await admin.create("broken", specOf(owner, { manager, match: broken })),
    /denied request: .*missing closing \)/,
  );
  // Another manager's intercepts are not this one's to judge.
  const others = specOf(owner, { manager: "another" });
  assert.equal(await admin.create("others", others), "");
  say(`${denied.length} were denied, ${allowed.length} allowed`);
});

Deno.test("tp says what an admin does not allow, until it is allowed again", async (t) => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, namespace, tp, manager } = place;
  await using __ = removing(cluster, manager.namespace);
  const env = [
    { name: "DB_HOST", value: "db" },
    { name: "DB_PASSWORD", value: "secret" },
  ];
  await deploySmall(cluster, namespace, { name: "web", container: { env } });
  const setUp = (...flags: string[]) =>
    tp.ok(["install", ...flags, ...manager.flag]);
  await setUp(
    ...["--no-allow-global-intercepts", "--exclude-env", "*_PASSWORD"],
  );
  const admin = new Somebody(cluster, namespace);
  const owner = "kubernetes-admin";
  await admin.denied(specOf(owner, { manager: manager.namespace }));

  const own = ["--port", "8080:http", "--mount=false"];
  const refusals: [string[], RegExp][] = [
    [["intercept", "web", ...own], withoutMatch],
    [["wiretap", "web", ...own], withoutMatch],
    [["replace", "web", "--mount=false"], replaced],
    [["intercept", "web", ...own, "--http-path-prefix", "/"], wide],
    [["intercept", "web", ...own, "--http-header", "x-user=*"], wide],
    [["intercept", "web", ...own, "--http-path-regex", ".*"], wide],
    [["intercept", "web", ...own, "--http-method", "GET"], wide],
  ];
  for (const [args, why] of refusals) {
    await t.step(args.join(" "), async () => {
      const [cause, remedy] = (await tp.fails(args)).trimEnd().split("\n");
      say(cause!);
      assert.match(cause!, /^tp: Cannot intercept: /);
      assert.match(cause!, why);
      assert.match(remedy!, /The admin of the cluster made that rule/);
    });
  }
  await t.step("a header of one's own", async () => {
    const args = ["intercept", "web", ...own, "--http-header", "x-user=anna"];
    assert.match(await tp.ok(args), /State +: ACTIVE/);
    await tp.ok(["leave", "web"]);
  });
  const namesGiven = async () => {
    const detailed = ["--output", "json", "--detailed-output"];
    const header = ["--http-header", "x-user=anna"];
    const told = await tp.ok([
      ...["intercept", "web", ...own, ...header, ...detailed],
    ]);
    await tp.ok(["leave", "web"]);
    const { environment } = JSON.parse(told);
    return Object.keys(environment).filter((name) => /^DB_/.test(name));
  };
  await t.step("no variables that an admin withholds", async () => {
    assert.deepEqual(await namesGiven(), ["DB_HOST"]);
  });
  await t.step(
    "a later tp install keeps it, and makes it this release's",
    async () => {
      const name = noGlobalPolicyName(manager.namespace);
      const policy = ["validatingadmissionpolicy", name];
      const weaker = { spec: { validations: [{ expression: "true" }] } };
      await cluster.kubectl([
        ...["patch", ...policy, "--type=merge"],
        ...["--patch", JSON.stringify(weaker)],
      ]);
      await tp.ok(["install", ...manager.flag]);
      const { stdout } = await cluster.kubectl([
        ...["get", ...policy, "--output=jsonpath={.spec.validations}"],
      ]);
      assert.match(stdout, withoutMatch);
      assert.deepEqual(await namesGiven(), ["DB_HOST"]);
    },
  );
  await t.step("allowed again, and all variables given", async () => {
    await setUp("--allow-global-intercepts", "--exclude-env", "");
    // Followed a moment after it is gone.
    await waitFor("intercept of all traffic", async () => {
      const { code, stderr } = await tp.run(["intercept", "web", ...own]);
      return code === 0 || stderr;
    }, { timeoutMs: 20_000 });
    await tp.ok(["leave", "web"]);
    assert.deepEqual((await namesGiven()).toSorted(), [
      ...["DB_HOST", "DB_PASSWORD"],
    ]);
  });
});
