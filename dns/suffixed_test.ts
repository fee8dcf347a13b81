import assert from "node:assert/strict";
import { bareAnswer } from "./answer.ts";
import { Fqdn } from "./name.ts";
import { internetClass, recordTypes } from "./question.ts";
import { suffixed, suffixedName } from "./suffixed.ts";

const domain = Fqdn.parse("cluster.local");
const options = {
  suffix: Fqdn.parse("two"),
  isMeant: (name: Fqdn) => name.isIn(domain),
};

const cases: [type: number, before: number[], name: string, told: string][] = [
  [recordTypes.cname, [], "db.cluster.local", "db.cluster.local.two"],
  [recordTypes.ptr, [], "db.cluster.local", "db.cluster.local.two"],
  [recordTypes.ns, [], "ns.cluster.local", "ns.cluster.local.two"],
  [recordTypes.mx, [0, 10], "mx.cluster.local", "mx.cluster.local.two"],
  // Priority, weight, port.
  [
    recordTypes.srv,
    [0, 1, 0, 2, 31, 144],
    "db.cluster.local",
    "db.cluster.local.two",
  ],
  [recordTypes.cname, [], "www.example.com", "www.example.com"],
  // Opaque, whatever it looks like.
  [recordTypes.txt, [], "db.cluster.local", "db.cluster.local"],
];

for (const [type, before, name, told] of cases) {
  Deno.test(`suffixed() of a record of type ${type} for "${name}" leads to "${told}"`, () => {
    const dataOf = (text: string) =>
      new Uint8Array([...before, ...Fqdn.parse(text).encode()]);
    const owned = (text: string, data: Uint8Array) => ({
      ...{ name: Fqdn.parse(text), type, class: internetClass, ttl: 5, data },
    });
    const record = owned("web.cluster.local", dataOf(name));
    const outside = owned("web.test", dataOf(name));
    const answer = {
      ...bareAnswer(0),
      ...{ answers: [record, outside], authorities: [record] },
      additionals: [record],
    };
    const expected = owned("web.cluster.local.two", dataOf(told));
    assert.deepEqual(suffixed(answer, options), {
      ...answer,
      answers: [expected, owned("web.test", dataOf(told))],
      ...{ authorities: [expected], additionals: [expected] },
    });
  });
}

Deno.test("suffixedName() leaves a name as it is that has no room", () => {
  const labels = Array(4).fill("a".repeat(58)).join(".");
  const name = Fqdn.parse(`${labels}.cluster.local`);
  assert.equal(name.octets, 251);
  const long = { ...options, suffix: Fqdn.parse("longer") };
  assert.equal(suffixedName(name, long), name);
  assert.equal(String(suffixedName(name, options)), `${name}two.`);
});
