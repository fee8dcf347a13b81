/** Volumes of a pod that means harm, mounted on a laptop. */
import assert from "node:assert/strict";
import { Laptop, openCluster } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { deploySmall } from "../support/small_workloads.ts";

/** A line of a file that only the laptop has. */
const mark = "laptops-own";

/** What a volume holds that leads out of it, or tries. */
const traps = `
echo inside >/data/inside
ln -s /etc/passwd /data/absolute
ln -s ../../../../../../../../etc/passwd /data/up
ln -s / /data/root
ln -s /proc/1/environ /data/environ
ln -s /proc/self/root/etc/passwd /data/self
ln -s ../data/../../etc/passwd /data/zigzag
ln -s /etc/${mark} /data/marked
ln -s loop /data/loop
mkdir /data/deep
ln -s ../.. /data/deep/up
mkfifo /data/pipe
`;
const ways = [
  ...["absolute", "up", "self", "zigzag", "marked", "environ", "loop"],
  ...["root/etc/passwd", `root/etc/${mark}`, "root/proc/1/environ"],
  ...["root/proc/self/environ", "deep/up/etc/passwd", "deep/../../etc/passwd"],
];

Deno.test("a malicious pod's volumes lead to no file of the laptop", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  await using shop = await cluster.namespace("shop");
  const { name: namespace } = shop;
  const registry = Deno.env.get("TP_TEST_IMAGES") ?? "docker.io/local";
  const volumeMounts = [{ name: "data", mountPath: "/data" }];
  await deploySmall(cluster, namespace, {
    name: "malicious",
    container: { volumeMounts },
    pod: {
      volumes: [{ name: "data", emptyDir: {} }],
      initContainers: [{
        ...{ name: "trap", image: `${registry}/tools:1`, volumeMounts },
        command: ["/bin/sh", "-euc", traps],
      }],
    },
  });
  await laptop.run([
    ...["sh", "-c"],
    `echo ${mark}:x:4242:4242::/: >>/etc/passwd; echo ${mark} >/etc/${mark}`,
  ]);
  const tp = new Tp(laptop);
  await using stack = new AsyncDisposableStack();
  // The connector's own environment must not be told either.
  stack.use(
    await tp.connected(
      [...place.flag, "--namespace", namespace],
      { env: { SECRET: mark } },
    ),
  );
  const root = "/root/volumes";
  await tp.ok([
    ...["intercept", "malicious", "--port", "8080:http", "--mount", root],
  ]);
  const read = (path: string) =>
    laptop.run(["timeout", "5", "cat", `${root}/data/${path}`]);
  assert.equal((await read("inside")).stdout, "inside\n");
  const { stdout: passwd } = await laptop.run(["cat", "/etc/passwd"]);
  assert.match(passwd, new RegExp(mark));
  for (const path of ways) {
    await t.step(path, async () => {
      const { stdout } = await read(path);
      assert.doesNotMatch(stdout, new RegExp(mark));
    });
  }
  await t.step("what is written through a link", async () => {
    for (const path of ["absolute", "up", "marked"]) {
      const to = `${root}/data/${path}`;
      await laptop.run(["sh", "-c", `echo taken >>${to}`]);
    }
    const after = await laptop.run(["cat", "/etc/passwd", `/etc/${mark}`]);
    assert.equal(after.stdout, `${passwd}${mark}\n`);
  });
  await t.step("a pipe holds its reader, and nobody else", async () => {
    const held = read("pipe");
    const { durationMs, stdout } = await read("inside");
    assert.equal(stdout, "inside\n");
    assert.ok(durationMs < 4_000, `${durationMs} ms`);
    await held;
  });
  await tp.ok(["leave", "malicious"]);
  const { stdout: mounts } = await laptop.run(["cat", "/proc/mounts"]);
  assert.doesNotMatch(mounts, new RegExp(root));
});
