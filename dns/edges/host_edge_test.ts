import assert from "node:assert/strict";
import { Ip } from "../../net/mod.ts";
import type { HostFacts } from "./choose_edge.ts";
import { ResolverError } from "./edge.ts";
import { FakeResolverEdge } from "./edge_fake.ts";
import { HostEdge } from "./host_edge.ts";

const plan = {
  nameserver: Ip.parse("198.18.0.3"),
  device: { name: "tp0", index: 7 },
  zones: ["svc"],
  search: [],
};
const text = "nameserver 192.0.2.53\n";
const stub: HostFacts = {
  os: "linux",
  leadsTo: "/run/systemd/resolve/stub-resolv.conf",
  text,
  nss: ["files", "dns"],
  resolvedRuns: true,
  resolvectl: "/usr/bin/resolvectl",
  wsl: false,
};
const plain: HostFacts = { ...stub, leadsTo: "/etc/resolv.conf" };

/** A host with a file of its own, and facts that a test may change. */
async function onHost(
  run: (
    host: {
      edge: HostEdge;
      resolved: FakeResolverEdge;
      facts: { now: HostFacts };
      read: () => Promise<string>;
      file: string;
    },
  ) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const file = `${directory}/resolv.conf`;
  await Deno.writeTextFile(file, text);
  const paths = { file, original: `${file}.original`, copy: `${file}.copy` };
  const facts = { now: stub };
  const resolved = new FakeResolverEdge();
  const edge = new HostEdge({
    paths,
    directory: `${directory}/resolver`,
    forget: () => Promise.resolve(),
    readFacts: () => Promise.resolve(facts.now),
    resolved: () => resolved,
  });
  const read = () => Deno.readTextFile(file);
  try {
    await run({ edge, resolved, facts, read, file });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("systemd-resolved is told, and the file stays as it is", () =>
  onHost(async ({ edge, resolved, read }) => {
    await edge.apply(plan);
    assert.deepEqual(edge.choice, {
      edge: "systemd-resolved",
      reason: "resolved-stub",
    });
    assert.equal(await read(), text);
    await edge.restore();
    assert.deepEqual(resolved.done, ["apply 198.18.0.3", "restore"]);
    assert.equal(edge.choice, undefined);
  }));

Deno.test("a systemd-resolved that refuses leaves the file", () =>
  onHost(async ({ edge, resolved, read }) => {
    resolved.failure = new ResolverError("resolver-unwritable", "as told");
    await edge.apply(plan);
    assert.deepEqual(edge.choice, {
      edge: "/etc/resolv.conf",
      reason: "resolved-refused",
    });
    assert.match(await read(), /^nameserver 198\.18\.0\.3$/m);
    await edge.restore();
    assert.equal(await read(), text);
  }));

Deno.test("an edge that is not chosen any more is restored first", () =>
  onHost(async ({ edge, resolved, facts, read, file }) => {
    await edge.apply(plan);
    facts.now = plain;
    await edge.apply(plan);
    assert.deepEqual(resolved.done, ["apply 198.18.0.3", "restore"]);
    assert.equal(edge.choice?.reason, "plain");
    assert.match(await read(), /^nameserver 198\.18\.0\.3$/m);
    // A file that is written has the mode of the host's own.
    await Deno.chmod(file, 0o600);
    await edge.apply({ ...plan, zones: ["svc", "web"] });
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    await edge.apply({ ...plan, nameserver: Ip.parse("198.18.0.4") });
    assert.match(await read(), /^nameserver 198\.18\.0\.4$/m);
    facts.now = stub;
    await edge.apply(plan);
    assert.equal(await read(), text);
    assert.equal(resolved.done.at(-1), "apply 198.18.0.3");
  }));

Deno.test("on macOS zones have files, and /etc/resolv.conf stays as it is", () =>
  onHost(async ({ edge, facts, read, file }) => {
    facts.now = { ...plain, os: "darwin" };
    const entries = async () =>
      (await Array.fromAsync(
        Deno.readDir(file.replace("resolv.conf", "resolver")),
      ))
        .map(({ name }) => name);
    await edge.apply(plan);
    assert.deepEqual(edge.choice, { edge: "/etc/resolver", reason: "macos" });
    assert.deepEqual(await entries(), ["tp.svc"]);
    assert.equal(await read(), text);
    assert.deepEqual((await edge.nameservers()).map(String), ["192.0.2.53"]);
    await edge.apply({ ...plan, zones: ["svc", "web"] });
    assert.deepEqual((await entries()).sort(), ["tp.svc", "tp.web"]);
    await edge.restore();
    await assert.rejects(entries(), Deno.errors.NotFound);
    assert.equal(edge.choice, undefined);
  }));
