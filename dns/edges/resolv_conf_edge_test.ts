import assert from "node:assert/strict";
import { Ip } from "../../net/mod.ts";
import {
  composeResolvConf,
  holdsResolvConf,
  marker,
  ResolvConfEdge,
  type ResolvConfPaths,
  restoreResolvConf,
} from "./resolv_conf_edge.ts";
import { stripResolvConf } from "./_resolv_conf_text.ts";

const ours = Ip.parse("198.18.0.3");

/** What follows our lines. */
const texts: {
  what: string;
  original: string;
  rest: string;
}[] = [
  {
    what: "one nameserver",
    original: "nameserver 192.0.2.53\n",
    rest: "nameserver 192.0.2.53\n",
  },
  {
    what: "a line without an end",
    original: "nameserver 192.0.2.53",
    rest: "nameserver 192.0.2.53\n",
  },
  {
    what:
      "search list, options, sort list and comments, which stay as they are",
    original: "# by hand\nsearch corp.example  example\n" +
      "nameserver 2001:db8::53\noptions ndots:2 edns0\n; end\n\nsortlist 10.0.0.0\n",
    rest: "# by hand\nsearch corp.example  example\n" +
      "nameserver 2001:db8::53\noptions ndots:2 edns0\n; end\n\nsortlist 10.0.0.0\n",
  },
  {
    what: "three nameservers",
    original: "nameserver 192.0.2.1\nnameserver fe80::1%eth0\n" +
      "nameserver 192.0.2.3\nsearch example\n",
    rest: "nameserver 192.0.2.1\nnameserver fe80::1%eth0\n" +
      "nameserver 192.0.2.3\nsearch example\n",
  },
  {
    what: "nameservers, and what is none",
    original:
      "nameserver none\n nameserver 192.0.2.1\n#nameserver 192.0.2.2\n" +
      "nameserver 192.0.2.3\nnameserver\t192.0.2.4\nnameserver 192.0.2.5\n",
    rest: "nameserver none\n nameserver 192.0.2.1\n#nameserver 192.0.2.2\n" +
      "nameserver 192.0.2.3\nnameserver\t192.0.2.4\nnameserver 192.0.2.5\n",
  },
  {
    what: "a timeout of the host's own",
    original: "nameserver 192.0.2.53\noptions timeout:3 attempts:2\n",
    rest: "nameserver 192.0.2.53\noptions attempts:2\n",
  },
  {
    what: "rotate, which is left out",
    original: "options rotate\noptions ndots:2 rotate  edns0\n" +
      "nameserver 192.0.2.53\n",
    rest: "options ndots:2 edns0\nnameserver 192.0.2.53\n",
  },
  {
    what: "no nameserver, which means this host",
    original: "search example\n",
    rest: "nameserver 127.0.0.1\nsearch example\n",
  },
  { what: "nothing", original: "", rest: "nameserver 127.0.0.1\n" },
];

for (const { what, original, rest } of texts) {
  Deno.test(`composeResolvConf() of ${what}`, () => {
    const composed = composeResolvConf(original, ours);
    const head = `${marker}\nnameserver 198.18.0.3\n` +
      "options timeout:1\n# What this host had:\n";
    assert.equal(composed, head + rest);
    assert.equal(stripResolvConf(composed), rest);
  });
}

async function withFiles(
  run: (paths: ResolvConfPaths) => Promise<void>,
  { linkable = true } = {},
): Promise<void> {
  const directory = await Deno.makeTempDir();
  // A second name cannot be on another file system.
  const other = await Deno.makeTempDir({ dir: "/dev/shm" });
  try {
    await run({
      file: `${directory}/resolv.conf`,
      original: `${linkable ? directory : other}/resolv.conf.original`,
      copy: `${other}/copy`,
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
    await Deno.remove(other, { recursive: true });
  }
}

/** Everything that restoring has to bring back. */
async function look(path: string) {
  const { ino, mode, uid, gid, mtime, nlink, isSymlink } = await Deno.lstat(
    path,
  );
  const link = isSymlink ? await Deno.readLink(path) : undefined;
  const bytes = await Deno.readFile(path).catch(() => undefined);
  return { ino, mode, uid, gid, mtime, nlink, link, bytes };
}

async function filesIn(paths: ResolvConfPaths): Promise<string[]> {
  const names: string[] = [];
  for (const path of [paths.file, paths.copy]) {
    for await (const entry of Deno.readDir(path.replace(/[^/]*$/, ""))) {
      names.push(entry.name);
    }
  }
  return names.sort();
}

/** Octets that are no UTF-8 come back, too. */
const original = new Uint8Array([
  ...new TextEncoder().encode("nameserver 192.0.2.53\n# "),
  0xff,
]);

for (const linkable of [true, false]) {
  const how = linkable ? "by rename" : "in place";
  Deno.test(`restore() brings back octets, mode and owner (${how})`, () =>
    withFiles(async (paths) => {
      await Deno.writeFile(paths.file, original);
      await Deno.chmod(paths.file, 0o640);
      const before = await look(paths.file);
      const edge = new ResolvConfEdge(paths);
      await edge.apply({ nameserver: ours });
      const during = await look(paths.file);
      assert.ok(await holdsResolvConf(paths.file));
      assert.equal(during.mode, before.mode);
      assert.deepEqual(
        (await edge.nameservers()).map(String),
        ["192.0.2.53"],
      );
      await edge.restore();
      const after = await look(paths.file);
      if (!linkable) after.mtime = before.mtime;
      assert.deepEqual(after, before);
      assert.deepEqual(await filesIn(paths), ["resolv.conf"]);
      assert.ok(!await holdsResolvConf(paths.file));
    }, { linkable }));

  Deno.test(`another process restores what this one applied (${how})`, () =>
    withFiles(async (paths) => {
      await Deno.writeFile(paths.file, original);
      await new ResolvConfEdge(paths).apply({ nameserver: ours });
      await restoreResolvConf(paths);
      await restoreResolvConf(paths);
      assert.deepEqual((await look(paths.file)).bytes, original);
      assert.deepEqual(await filesIn(paths), ["resolv.conf"]);
    }, { linkable }));

  Deno.test(`apply() again replaces the nameserver only (${how})`, () =>
    withFiles(async (paths) => {
      await Deno.writeFile(paths.file, original);
      const edge = new ResolvConfEdge(paths);
      await edge.apply({ nameserver: ours });
      await edge.apply({ nameserver: Ip.parse("198.18.8.3") });
      const text = await Deno.readTextFile(paths.file);
      assert.match(text, /^nameserver 198\.18\.8\.3$/m);
      assert.doesNotMatch(text, /198\.18\.0\.3/);
      await edge.restore();
      assert.deepEqual((await look(paths.file)).bytes, original);
    }, { linkable }));

  Deno.test(`follow() takes what somebody else wrote as the original (${how})`, () =>
    withFiles(async (paths) => {
      await Deno.writeFile(paths.file, original);
      const edge = new ResolvConfEdge(paths);
      await edge.apply({ nameserver: ours });
      await edge.follow();
      const theirs = "search office\nnameserver 192.0.2.99\n";
      await Deno.writeTextFile(paths.file, theirs);
      await edge.follow();
      const text = await Deno.readTextFile(paths.file);
      assert.equal(text, composeResolvConf(theirs, ours));
      await edge.restore();
      assert.equal(await Deno.readTextFile(paths.file), theirs);
      assert.deepEqual(await filesIn(paths), ["resolv.conf"]);
    }, { linkable }));

  Deno.test(`restore() leaves what somebody else wrote (${how})`, () =>
    withFiles(async (paths) => {
      await Deno.writeFile(paths.file, original);
      const edge = new ResolvConfEdge(paths);
      await edge.apply({ nameserver: ours });
      await Deno.writeTextFile(paths.file, "nameserver 192.0.2.99\n");
      await edge.restore();
      assert.equal(
        await Deno.readTextFile(paths.file),
        "nameserver 192.0.2.99\n",
      );
      assert.deepEqual(await filesIn(paths), ["resolv.conf"]);
    }, { linkable }));
}

Deno.test("a symbolic link comes back as it was, and what it leads to is followed", () =>
  withFiles(async (paths) => {
    const target = paths.file.replace("resolv.conf", "stub.conf");
    await Deno.writeTextFile(target, "nameserver 192.0.2.53\n");
    await Deno.symlink("stub.conf", paths.file);
    const before = await look(paths.file);
    const edge = new ResolvConfEdge(paths);
    await edge.apply({ nameserver: ours });
    assert.ok((await Deno.lstat(paths.file)).isFile);
    await Deno.writeTextFile(target, "nameserver 192.0.2.7\nsearch office\n");
    await edge.follow();
    assert.match(await Deno.readTextFile(paths.file), /^search office$/m);
    assert.deepEqual((await edge.nameservers()).map(String), ["192.0.2.7"]);
    await edge.restore();
    const { bytes: _old, ...link } = before;
    const { bytes, ...after } = await look(paths.file);
    assert.deepEqual(after, link);
    assert.match(new TextDecoder().decode(bytes), /office/);
  }));

Deno.test("a symbolic link that leads nowhere comes back, too", () =>
  withFiles(async (paths) => {
    await Deno.symlink("../run/nobody", paths.file);
    const edge = new ResolvConfEdge(paths);
    await edge.apply({ nameserver: ours });
    assert.match(
      await Deno.readTextFile(paths.file),
      /nameserver 127\.0\.0\.1/,
    );
    await edge.restore();
    assert.equal(await Deno.readLink(paths.file), "../run/nobody");
  }));

Deno.test("apply() tells that there is no file", () =>
  withFiles(async (paths) => {
    const edge = new ResolvConfEdge(paths);
    await assert.rejects(edge.apply({ nameserver: ours }), {
      name: "ResolverError",
      failure: "resolver-missing",
    });
    assert.deepEqual(await filesIn(paths), []);
  }));

Deno.test("a file of ours whose original is lost keeps the host's lines", () =>
  withFiles(async (paths) => {
    await Deno.writeFile(paths.file, original);
    await new ResolvConfEdge(paths).apply({ nameserver: ours });
    await Deno.remove(paths.original);
    await restoreResolvConf(paths);
    const text = await Deno.readTextFile(paths.file);
    assert.match(text, /^nameserver 192\.0\.2\.53$/m);
    assert.doesNotMatch(text, /198\.18\.0\.3/);
  }));
