import assert from "node:assert/strict";
import { Fqdn } from "./name.ts";
import { type NameSettings, parseNameRules } from "./name_rules.ts";
import { recordTypes } from "./question.ts";
import { decide } from "./resolver.ts";

/** Who answers `text` for a user who says `settings`. */
function decided(text: string, settings: NameSettings): string {
  const question = { name: Fqdn.parse(text), class: 1, end: 0 };
  const decision = decide({ ...question, type: recordTypes.a }, {
    clusterDomain: "cluster.local",
    namespaces: new Set(["bakery", "dev", "com", "svc"]),
    search: ["bakery"],
    rules: parseNameRules(settings),
  });
  if (decision.by === "alias") return `alias ${decision.of}`;
  if (decision.by !== "cluster") return decision.by;
  return decision.names.join(" ") + (decision.orHost ? " or host" : "");
}

const table: [says: NameSettings, name: string, decision: string][] = [
  // An included suffix is the cluster's, itself and what is below it, with a dot before it or not.
  [{ includeSuffixes: [".corp.test"] }, "db.corp.test", "db.corp.test."],
  [{ includeSuffixes: ["corp.test."] }, "DB.Corp.Test", "DB.Corp.Test."],
  [{ includeSuffixes: ["corp.test"] }, "corp.test", "corp.test."],
  [{ includeSuffixes: ["corp.test"] }, "notcorp.test", "host"],
  [{ includeSuffixes: ["example.com"] }, "www.example.com", "www.example.com."],
  // An excluded one is the host's, whatever the name is, unless an included one is as long.
  [{ excludeSuffixes: [".bakery"] }, "web.bakery", "host"],
  [{ excludeSuffixes: [".local"] }, "web.bakery.svc.cluster.local", "host"],
  [
    { excludeSuffixes: [".local"], includeSuffixes: [".cluster.local"] },
    "web.bakery.svc.cluster.local",
    "web.bakery.svc.cluster.local.",
  ],
  [
    { excludeSuffixes: ["x.test"], includeSuffixes: ["x.test"] },
    "a.x.test",
    "a.x.test.",
  ],
  [
    { excludeSuffixes: ["a.x.test"], includeSuffixes: ["x.test"] },
    "b.a.x.test",
    "host",
  ],
  // An excluded name is the host's, and no other with it.
  [{ excludes: ["web"] }, "WEB", "host"],
  [
    { excludes: ["web"] },
    "web.bakery",
    "web.bakery.svc.cluster.local. or host",
  ],
  [{ excludes: ["web.bakery"] }, "web.bakery", "host"],
  // A mapping is before what is excluded, and is no suffix.
  [
    { mappings: [{ name: "db", aliasFor: "pg.bakery" }], excludes: ["db"] },
    "DB",
    "alias pg.bakery.",
  ],
  [
    { mappings: [{ name: "db.test", aliasFor: "192.0.2.7" }] },
    "db.test",
    "alias 192.0.2.7",
  ],
  [{ mappings: [{ name: "db.test", aliasFor: "::1" }] }, "x.db.test", "host"],
  // As a host that splits looks for a single label.
  [
    { mappings: [{ name: "DB", aliasFor: "pg.bakery" }] },
    "db.Cluster.local",
    "alias pg.bakery.",
  ],
  [
    { mappings: [{ name: "db.test", aliasFor: "pg.bakery" }] },
    "db.test.cluster.local",
    "db.test.cluster.local.",
  ],
  ...["db.web.cluster.local", "db.svc.cluster.local"].map((
    name,
  ): [NameSettings, string, string] => [
    { mappings: [{ name: "db", aliasFor: "pg.bakery" }] },
    name,
    `${name}.`,
  ]),
  // What stands for itself in the end does not.
  [
    {
      mappings: [
        { name: "db", aliasFor: "pg" },
        { name: "pg", aliasFor: "db.cluster.local" },
      ],
    },
    "db.cluster.local",
    "db.cluster.local.",
  ],
  // Namespaces called like a top-level domain must be opened one by one.
  [{ servedTopLevelNamespaces: ["dev"] }, "github.com", "host"],
  [
    { servedTopLevelNamespaces: ["com"] },
    "github.com",
    "github.com.svc.cluster.local. or host",
  ],
  [{ servedTopLevelNamespaces: ["org"] }, "web.org", "host"],
  // Nothing makes these ours.
  [{ includeSuffixes: ["corp.test"] }, "wpad.corp.test", "host"],
  [{ mappings: [{ name: "wpad", aliasFor: "192.0.2.7" }] }, "wpad", "host"],
  [{ includeSuffixes: ["localhost"] }, "a.localhost", "host"],
  [{}, "localhost.bakery", "host"],
  // A namespace may be called `svc`.
  [{}, "web.svc", "web.svc.svc.cluster.local. web.svc.cluster.local."],
];

for (const [says, name, decision] of table) {
  Deno.test(`a user who says ${JSON.stringify(says)} has "${name}" answered by ${decision}`, () => {
    assert.equal(decided(name, says), decision);
  });
}

Deno.test("parseNameRules() names the setting that is wrong", () => {
  const wrong: [NameSettings, RegExp][] = [
    [{ includeSuffixes: ["a..b"] }, /dns\.includeSuffixes "a\.\.b"/],
    [{ includeSuffixes: ["."] }, /dns\.includeSuffixes ""/],
    [{ excludeSuffixes: [""] }, /dns\.excludeSuffixes ""/],
    [{ excludes: ["ü"] }, /dns\.excludes "ü"/],
    [{ mappings: [{ name: "", aliasFor: "a" }] }, /dns\.mappings ""/],
    [{ mappings: [{ name: "a", aliasFor: "b..c" }] }, /dns\.mappings "b\.\.c"/],
    [{
      mappings: [{ name: "a", aliasFor: "b" }, { name: "B.", aliasFor: "A" }],
    }, /dns\.mappings "a": it stands for itself/],
  ];
  for (const [settings, message] of wrong) {
    assert.throws(() => parseNameRules(settings), { message });
  }
});
