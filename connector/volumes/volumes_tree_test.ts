import assert from "node:assert/strict";
import type { SftpClient, SftpEntry } from "./sftp.ts";
import { type SftpAttributes, SftpStatusError } from "./sftp_packet.ts";
import { listVolume } from "./volumes_tree.ts";

const directory = "/tp/volumes";

/** Files by path with their size, links with what they lead to. */
type Tree = Record<string, number | string>;

/** The files of a pod as SFTP shows them. */
class FakeFiles {
  constructor(readonly tree: Tree) {}

  realPath(path: string, depth = 0): Promise<string> {
    if (depth > 8) return Promise.reject(new SftpStatusError(4, "loop"));
    const parts = path.split("/").filter((part) => part !== "");
    let real = "";
    for (const [index, part] of parts.entries()) {
      if (part === "..") {
        real = real.slice(0, real.lastIndexOf("/"));
        continue;
      }
      const target = this.tree[`${real}/${part}`];
      if (typeof target === "string") {
        const from = target.startsWith("/") ? target : `${real}/${target}`;
        const rest = parts.slice(index + 1).join("/");
        return this.realPath(`${from}/${rest}`, depth + 1);
      }
      real = `${real}/${part}`;
    }
    return Promise.resolve(real);
  }

  async stat(path: string): Promise<SftpAttributes> {
    const found = this.#attributes(await this.realPath(path));
    if (found === undefined) throw new SftpStatusError(2, "No such file");
    return found;
  }

  async *readDirectory(path: string): AsyncGenerator<SftpEntry> {
    const real = await this.realPath(path);
    const names = Object.keys(this.tree)
      .filter((entry) => entry.startsWith(`${real}/`))
      .map((entry) => entry.slice(real.length + 1).split("/")[0]!);
    for (const name of new Set(names)) {
      yield { name, attributes: this.#attributes(`${real}/${name}`)! };
    }
  }

  #attributes(path: string): SftpAttributes | undefined {
    const found = this.tree[path];
    if (typeof found === "string") return { mode: 0o120777 };
    if (found !== undefined) return { mode: 0o100644, size: found };
    const isDirectory = Object.keys(this.tree)
      .some((entry) => entry.startsWith(`${path}/`));
    return isDirectory ? { mode: 0o040755 } : undefined;
  }
}

async function list(
  tree: Tree,
  { volume = "/", limitBytes = 1000 } = {},
): Promise<string[] | undefined> {
  const client = new FakeFiles(tree) as unknown as SftpClient;
  const files = await listVolume(client, { directory, volume, limitBytes });
  return files?.map(({ path, size }) => `${path} ${size}`).sort();
}

Deno.test("listVolume() shows a ConfigMap as the app sees it", async () => {
  const files = await list({
    "/tp/volumes/etc/..2026/colour": 5,
    "/tp/volumes/etc/..data": "..2026",
    "/tp/volumes/etc/colour": "..data/colour",
  });
  assert.deepEqual(files, ["etc/colour 5"]);
});

Deno.test("listVolume() passes over links that lead out, up, around or nowhere", async () => {
  const files = await list({
    "/etc/passwd": 1,
    "/tp/volumes-other/file": 1,
    "/tp/volumes/data/file": 2,
    "/tp/volumes/data/to-passwd": "/etc/passwd",
    "/tp/volumes/data/up": "../../../etc/passwd",
    "/tp/volumes/data/beside": "/tp/volumes-other/file",
    "/tp/volumes/data/around": "..",
    "/tp/volumes/data/self": ".",
    "/tp/volumes/data/loop": "loop",
    "/tp/volumes/data/nowhere": "/nowhere",
    "/tp/volumes/data/within": "/tp/volumes/other",
    "/tp/volumes/other/file": 3,
  });
  assert.deepEqual(files, [
    "data/file 2",
    "data/within/file 3",
    "other/file 3",
  ]);
});

Deno.test("listVolume() ends where two links lead into each other's directories", async () => {
  const files = await list({
    "/tp/volumes/a/file": 1,
    "/tp/volumes/a/to-b": "../b",
    "/tp/volumes/b/to-a": "../a",
  });
  assert.equal(files?.includes("a/file 1"), true);
});

Deno.test("listVolume() lists a volume that is one file, and none that is not there", async () => {
  const tree = { "/tp/volumes/etc/one/settings.ini": 4 };
  const volume = "/etc/one/settings.ini";
  assert.deepEqual(await list(tree, { volume }), ["etc/one/settings.ini 4"]);
  assert.deepEqual(await list(tree, { volume: "/other" }), []);
  assert.deepEqual(await list(tree, { volume: "/../../etc/passwd" }), []);
});

Deno.test("listVolume() gives up a volume that is larger than its limit", async () => {
  const tree = { "/tp/volumes/a": 600, "/tp/volumes/b": 400 };
  assert.equal((await list(tree))?.length, 2);
  assert.equal(await list(tree, { limitBytes: 999 }), undefined);
});
