import assert from "node:assert/strict";
import { Ip } from "../../net/mod.ts";
import {
  holdsResolverFiles,
  removeResolverFiles,
  ResolverDirectoryEdge,
} from "./resolver_directory_edge.ts";

const plan = {
  nameserver: Ip.parse("198.18.0.3"),
  device: { name: "utun4", index: 17 },
  zones: ["cluster.local", "svc"],
  search: [],
};

/** A directory that may be there, or not. */
async function inDirectory(
  run: (
    host: { edge: ResolverDirectoryEdge; directory: string; forgot: number[] },
  ) => Promise<void>,
): Promise<void> {
  const parent = await Deno.makeTempDir();
  const directory = `${parent}/resolver`;
  const forgot: number[] = [];
  const forget = () => Promise.resolve(void forgot.push(forgot.length));
  const edge = new ResolverDirectoryEdge({ directory, forget });
  try {
    await run({ edge, directory, forgot });
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

async function names(directory: string): Promise<string[] | undefined> {
  const entries = await Array.fromAsync(Deno.readDir(directory))
    .catch(() => undefined);
  return entries?.map(({ name }) => name).sort();
}

Deno.test("a host without the directory has none again", () =>
  inDirectory(async ({ edge, directory, forgot }) => {
    await edge.apply(plan);
    assert.deepEqual(await names(directory), ["tp.cluster.local", "tp.svc"]);
    assert.equal(await holdsResolverFiles(directory), true);
    const { mode } = await Deno.stat(`${directory}/tp.svc`);
    assert.equal(mode! & 0o777, 0o644);
    await edge.restore();
    assert.equal(await names(directory), undefined);
    await edge.restore();
    assert.equal(forgot.length, 2);
  }));

Deno.test("what others have in the directory stays, to the byte", () =>
  inDirectory(async ({ edge, directory }) => {
    await Deno.mkdir(directory);
    const text = "domain test\nnameserver 192.0.2.53\n";
    await Deno.writeTextFile(`${directory}/test`, text);
    await edge.apply(plan);
    await edge.apply({ ...plan, zones: ["svc"] });
    assert.deepEqual(await names(directory), ["test", "tp.svc"]);
    await edge.restore();
    assert.deepEqual(await names(directory), ["test"]);
    assert.equal(await Deno.readTextFile(`${directory}/test`), text);
  }));

Deno.test("follow() writes again what somebody took away, and else nothing", () =>
  inDirectory(async ({ edge, directory, forgot }) => {
    await edge.apply(plan);
    const { mtime } = await Deno.stat(`${directory}/tp.cluster.local`);
    await edge.follow();
    assert.equal(forgot.length, 1);
    await Deno.remove(`${directory}/tp.svc`);
    await edge.follow();
    assert.deepEqual(await names(directory), ["tp.cluster.local", "tp.svc"]);
    const after = await Deno.stat(`${directory}/tp.cluster.local`);
    assert.deepEqual(after.mtime, mtime);
  }));

Deno.test("removeResolverFiles() clears away what a killed process left", () =>
  inDirectory(async ({ edge, directory }) => {
    await edge.apply(plan);
    assert.equal(await removeResolverFiles(directory), true);
    assert.equal(await names(directory), undefined);
    assert.equal(await removeResolverFiles(directory), false);
  }));

Deno.test("what cannot be written leaves nothing, and is told as such", () =>
  inDirectory(async ({ edge, directory }) => {
    await Deno.writeTextFile(directory, "");
    await assert.rejects(edge.apply(plan), {
      name: "ResolverError",
      failure: "resolver-unwritable",
    });
  }));
