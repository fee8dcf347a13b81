/** `tp run` where it cannot have namespaces, or little is allowed: it says so, and the command reaches the cluster. */
import assert from "node:assert/strict";
import { Laptop, openCluster, outside } from "../cluster/mod.ts";
import { executable } from "../support/laptop_tp.ts";
import { assertSameState } from "../support/same_state.ts";

const page = "http://verylargejavaservice.default:8080";
const script = `curl -sS -m 10 ${page} | grep -c '<title>.*EdgyCorp'; ` +
  `curl -sS -m 10 http://${outside.name}; ip -o link show tp0 | wc -l; exit 4`;
const become = "setpriv --clear-groups --reuid=42000 --regid=42000 " +
  "env HOME=/home/tp-test XDG_RUNTIME_DIR=/run/user/42000";
const run = `${executable} run --publish 8097:80 -- sh -c "$1"`;

/** How root brings about a place, and why there are no namespaces in it, if there are none. */
const places: [what: string, how: string, why?: RegExp][] = [
  [
    "unshare(1) refuses",
    'mkdir /tmp/bin-$$; printf "#!/bin/sh\\necho it refuses >&2; exit 1" >/tmp/bin-$$/unshare; ' +
    "chmod 755 /tmp/bin-$$/unshare; trap 'rm -r /tmp/bin-$$' EXIT; " +
    `${become} PATH=/tmp/bin-$$:$PATH ${run}`,
    /it refuses/,
  ],
  [
    "no user namespace may be made",
    `${become} unshare --user --map-current-user --keep-caps sh -c '` +
    "echo 0 >/proc/sys/user/max_user_namespaces; " +
    "exec setpriv --inh-caps -all --ambient-caps -all " +
    `${executable} run -- sh -c "$0"' "$1"`,
    /unshare failed: No space left on device/,
  ],
  [
    "there is no /dev/net/tun",
    "unshare --mount sh -c '" +
    "busybox mount -t tmpfs tmpfs /dev/net; exec " +
    `${become} ${executable} run -- sh -c "$0"' "$1"`,
    /"\/dev\/net\/tun"/,
  ],
  [
    "root has no capabilities",
    `setpriv --bounding-set -all --inh-caps -all ${run}`,
    /write failed \/proc\/self\/uid_map/,
  ],
  [
    "root has the capabilities of a container",
    "setpriv --inh-caps -all --bounding-set -all,+chown,+dac_override,+fowner," +
    "+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw," +
    `+sys_chroot,+mknod,+audit_write,+setfcap ${run}`,
  ],
  ["root may do all", run],
];

for (const [what, how, why] of places) {
  Deno.test(`tp run where ${what}`, async () => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    const before = await laptop.snapshot();
    const { code, stdout, stderr } = await laptop.run(
      ["sh", "-c", how, "sh", script],
    );
    const device = why === undefined ? 1 : 0;
    assert.equal(
      stdout,
      `1\n${outside.page}${device}\n`,
      stderr,
    );
    assert.equal(code, 4);
    if (why === undefined) assert.doesNotMatch(stderr, /proxy/);
    else {
      assert.match(stderr, why);
      assert.match(stderr, /gets the environment of a proxy/);
      if (how.includes(run)) assert.match(stderr, /^Port 80 is .* as 8097$/m);
    }
    assertSameState(await laptop.snapshot(), before);
  });
}

Deno.test("tp proxy leads curl and others into the cluster by SOCKS and HTTP, with its password alone", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const before = await laptop.snapshot();
  const user = "tp-test" as const;
  const proxy = laptop.spawn([executable, "proxy"], {
    ...{ user, stdout: "piped", stderr: "null" },
  });
  const lines = proxy.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let environment = "";
  while (!environment.includes("no_proxy")) {
    const { value, done } = await lines.read();
    if (done) throw new Error("tp proxy ended");
    environment += value;
  }
  const sh = async (script: string) => {
    const { stdout, stderr } = await laptop.run(
      ["bash", "-c", `${environment}\n${script}`],
      { user },
    );
    return { stdout, stderr };
  };
  const found = "grep -c '<title>.*EdgyCorp'";
  for (
    const way of ["", "-x $ALL_PROXY", "-x $HTTP_PROXY", "-p -x $HTTPS_PROXY"]
  ) {
    const { stdout, stderr } = await sh(`curl -sS ${way} ${page} | ${found}`);
    assert.equal(stdout, "1\n", way + stderr);
  }
  const { stdout: ofOutside } = await sh(
    `curl -sS -x $ALL_PROXY http://${outside.name}`,
  );
  assert.equal(ofOutside, outside.page);
  const wrong = await sh(
    "curl -sS -o /dev/null -w '%{http_code}\\n' " +
      `-x \${HTTP_PROXY/@/x@} ${page}; curl -sS -x \${ALL_PROXY/@/x@} ${page}`,
  );
  assert.equal(wrong.stdout, "407\n");
  assert.match(wrong.stderr, /SOCKS5|authentication|rejected/i);
  const none = await sh(
    `curl -sS -w '%{http_code}' -o /dev/null http://no-such.default`,
  );
  assert.equal(none.stdout, "502");
  Deno.kill(proxy.pid, "SIGTERM");
  assert.equal((await proxy.status).code, 0);
  await lines.cancel();
  assertSameState(await laptop.snapshot(), before);
});
