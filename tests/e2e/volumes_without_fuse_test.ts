/** tp on a laptop that can't mount: the whole command gives copies of the volumes, and says why. */
import assert from "node:assert/strict";
import {
  accounts,
  deployIntercepts,
  Laptop,
  must,
  openCluster,
  waitFor,
} from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";

const user = "tp-test";
const { home } = accounts[user];
const flags = ["--port", "8080:http", "--env-file", "e"];

/** All programs of the laptop, but not sshfs. */
const programs = "/run/programs-without-sshfs";
const makePrograms = `mkdir ${programs}; ln -s /usr/bin/* ${programs}; ` +
  `rm ${programs}/sshfs`;

Deno.test("tp intercept --mount copies volumes to a laptop without FUSE or without sshfs, and says so", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  await using shop = await cluster.namespace("shop");
  const { name: namespace } = shop;
  await deployIntercepts(cluster, namespace);
  const root = (script: string) => must(laptop.command(["sh", "-euc", script]));
  const users = async (script: string) => {
    const { stdout, stderr } = await laptop.run(
      ["sh", "-euc", script],
      { user, cwd: home },
    );
    return (stdout + stderr).trim();
  };
  await root(makePrograms);
  const tp = new Tp(laptop, { user });
  const where = [...place.flag, "--namespace", namespace];

  await t.step("where /dev/fuse is closed to the user", async () => {
    await root("chmod 600 /dev/fuse");
    await using _ = await tp.connected(where);
    const told = await tp.ok(
      ["intercept", "files", ...flags, "--mount", "volumes"],
      { cwd: home },
    );
    assert.match(told, /^ {3}State +: ACTIVE$/m);
    assert.match(told, /^ {3}Volume Mount Point +: \/home\/tp-test\/volumes$/m);
    assert.match(
      told,
      /^ {3}Volume Mount Error +: \/dev\/fuse is not open to this user; volumes of up to 16 MiB are copied$/m,
    );
    const mounted = "grep -c fuse.sshfs /proc/self/mounts || true";
    assert.equal(await users(mounted), "0");
    assert.equal(
      await users("grep -E '^TELEPRESENCE_(CONTAINER|ROOT)=' e | sort"),
      `TELEPRESENCE_CONTAINER=files\nTELEPRESENCE_ROOT=${home}/volumes`,
    );
    assert.equal(await users("cat volumes/secret/password"), "open sesame");
    assert.match(await users("cat volumes/etc/files/settings.ini"), /green/);
    assert.equal(
      await users("stat -c '%a %U' volumes/secret/password"),
      `600 ${user}`,
    );
    assert.equal(await users("cat volumes/data/link-inside"), "inside");
    // Links that lead out of the volumes bring nothing of the laptop's, or of the container's.
    assert.match(
      await users("cat volumes/data/link-to-passwd || true"),
      /No such file/,
    );
    const token = "volumes/var/run/secrets/kubernetes.io/serviceaccount/token";
    assert.match(await users(`cat ${token}`), /^ey[\w.-]+$/);
    await tp.ok(["leave", "files"]);
    await waitFor(
      "end of the copies",
      async () =>
        await users("ls -d volumes || true").then((told) =>
          /No such file/.test(told) || told
        ),
    );
    await root(`rm ${home}/e; chmod 666 /dev/fuse`);
  });

  await t.step("where there is no sshfs", async () => {
    const env = { PATH: programs };
    await using _ = await tp.connected(where, { env });
    const { code, stdout, stderr } = await tp.run([
      ...["intercept", "files", "--port", "8080:http", "--"],
      ...[
        "sh",
        "-c",
        "echo $TELEPRESENCE_ROOT; cat $TELEPRESENCE_ROOT/secret/password",
      ],
    ], { env });
    assert.equal(code, 0, stderr);
    const [at = "", password] = stdout.split("\n");
    assert.equal(password, "open sesame", stderr);
    assert.match(at, /^\/run\/user\/42000\/tp\/volumes\/files-/);
    const info = JSON.parse(
      await tp.ok(["intercept", "files", ...flags, "--output", "json"], {
        ...{ env, cwd: home },
      }),
    );
    assert.match(
      info.mount.error,
      /^Volume Mount Error: no sshfs in PATH; install sshfs; volumes of up to 16 MiB are copied$/,
    );
    assert.equal(
      await users(`cat ${info.mount.local_dir}/secret/password`),
      "open sesame",
    );
    await root(`rm ${home}/e`);
  });
});
