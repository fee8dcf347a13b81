import assert from "node:assert/strict";
import { Ip } from "../../net/mod.ts";
import {
  ourResolverFiles,
  planResolverFiles,
  resolverFileMarker,
} from "./_resolver_files.ts";

const nameserver = Ip.parse("198.18.0.3");
const plan = {
  nameserver,
  zones: ["cluster.local", "svc", "96.10.in-addr.arpa"],
  search: ["default.svc.cluster.local", "svc.cluster.local"],
};
/** What minikube tells its users to write. */
const others = new Map([[
  "minikube-test",
  "domain test\nnameserver 1.2.3.4\n",
]]);

Deno.test("planResolverFiles() has a file for each zone, and the search list in one", () => {
  const { write, remove, taken } = planResolverFiles(plan, others);
  assert.deepEqual([...write.keys()], [
    "tp.default.svc.cluster.local",
    "tp.svc.cluster.local",
    "tp.cluster.local",
    "tp.svc",
    "tp.96.10.in-addr.arpa",
  ]);
  assert.equal(
    write.get("tp.svc"),
    `${resolverFileMarker}
domain svc
nameserver 198.18.0.3
search_order 1
timeout 5
`,
  );
  const searching = [...write].filter(([, text]) => /^search /m.test(text));
  assert.deepEqual(searching.map(([name]) => name), [
    "tp.default.svc.cluster.local",
  ]);
  assert.match(
    searching[0]![1],
    /^search default\.svc\.cluster\.local svc\.cluster\.local$/m,
  );
  assert.deepEqual([remove, taken], [[], []]);
});

Deno.test("planResolverFiles() leaves what is as it should be, and removes what has no use any more", () => {
  const first = planResolverFiles(plan, others).write;
  const present = new Map([...others, ...first]);
  const again = planResolverFiles(plan, present);
  assert.deepEqual([again.write.size, again.remove], [0, []]);
  const less = planResolverFiles({ ...plan, zones: ["svc"] }, present);
  assert.deepEqual([less.write.size, less.remove], [0, [
    "tp.96.10.in-addr.arpa",
    "tp.cluster.local",
  ]]);
  const moved = planResolverFiles({
    ...plan,
    nameserver: Ip.parse("198.18.0.11"),
  }, present);
  assert.equal(moved.write.size, 5);
});

Deno.test("planResolverFiles() does not touch a file of that name that somebody else has", () => {
  const present = new Map([["tp.svc", "nameserver 192.0.2.53\n"]]);
  const { write, remove, taken } = planResolverFiles(plan, present);
  assert.deepEqual([write.has("tp.svc"), remove, taken], [false, [], ["svc"]]);
});

Deno.test("ourResolverFiles() knows ours by name and first line, whoever wrote them", () => {
  const text = planResolverFiles(plan, new Map()).write.get("tp.svc")!;
  const present = new Map([
    ...others,
    ["tp.left", text],
    ["copy", text],
    ["tp.mine", "# mine\n"],
  ]);
  assert.deepEqual(ourResolverFiles(present), ["tp.left"]);
});
