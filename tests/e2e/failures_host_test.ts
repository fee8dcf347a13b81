/** What this host lacks or refuses is told, and nothing of the attempt stays; what only looks like an obstacle is none. */
import assert from "node:assert/strict";
import { Laptop, must, openCluster } from "../cluster/mod.ts";
import { failToConnect, failWhileConnected } from "../support/failing.ts";
import { adminAccess, writeAccess } from "../support/kubeconfig_file.ts";
import { startScript } from "../support/laptop_script.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { assertSameState } from "../support/same_state.ts";

const page = "verylargejavaservice.default:8080";

/** Prepares the laptop by a shell script as root. */
async function prepare(laptop: Laptop, script: string): Promise<void> {
  await must(laptop.command(["sh", "-euc", script]));
}

/** A directory on a small disk of its own that is full. */
function fullDisk(directory: string, owner = "root"): string {
  return `mkdir -p ${directory}
mount -t tmpfs -o size=4k,nr_inodes=2,mode=700,uid=$(id -u ${owner}) tmpfs ${directory}
head -c 8192 /dev/zero >${directory}/full || true`;
}

Deno.test("a host without /dev/net/tun is told so, and how to get it", async () => {
  await using laptop = await Laptop.open(await openCluster());
  await prepare(laptop, "mount -t tmpfs tmpfs /dev/net");
  const told = await failToConnect(laptop);
  assert.match(
    told.cause,
    /^Cannot open the TUN device: .*no \/dev\/net\/tun$/,
  );
  assert.match(told.remedy, /modprobe tun.*--device \/dev\/net\/tun/);
  assert.match(told.remedy, /`tp run -- COMMAND` and `tp proxy`/);
});

Deno.test("a root that may not make TUN devices is told so", async () => {
  await using laptop = await Laptop.open(await openCluster());
  const told = await failToConnect(laptop, [], {
    through: ["setpriv", "--bounding-set", "-net_admin"],
  });
  assert.match(told.cause, /^Cannot open the TUN device: root may not/);
  assert.match(told.remedy, /--cap-add NET_ADMIN.*`tp run -- COMMAND`/);
});

Deno.test("a host that cannot serve is told so before anything is installed in the cluster", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  await prepare(laptop, "mount -t tmpfs tmpfs /dev/net");
  const told = await failToConnect(laptop, [...place.flag]);
  assert.match(told.cause, /no \/dev\/net\/tun$/);
  assert.doesNotMatch(told.progress, /Installing/);
  assert.deepEqual(await place.objects(), []);
});

Deno.test("sudo that refuses is told, after its own words", async () => {
  await using laptop = await Laptop.open(await openCluster());
  const rules = "Defaults:tp-test !authenticate\ntp-test ALL=(ALL) /bin/true\n";
  await prepare(laptop, `printf '${rules}' >/etc/sudoers.d/tp-test`);
  const told = await failToConnect(laptop, [], { user: "tp-test" });
  assert.equal(told.cause, "Cannot start the daemon: sudo refused");
  assert.match(told.remedy, /sudo rights.*as root/);
  assert.match(told.progress, /^Need root privileges to run "\S+ daemon-/m);
});

Deno.test("sudo that is not there is told", async () => {
  await using laptop = await Laptop.open(await openCluster());
  const env = { PATH: "/usr/sbin" };
  const told = await failToConnect(laptop, [], { user: "tp-test", env });
  assert.match(
    told.cause,
    /^Cannot start the daemon: there is no sudo, sudo-rs or doas that/,
  );
  assert.match(told.remedy, /Install sudo/);
});

Deno.test("programs that hold the ports of DNS and of the manager are in nobody's way", async () => {
  await using laptop = await Laptop.open(await openCluster());
  await using holder = startScript(laptop, "hold_ports.ts", ["53", "7410"]);
  assert.equal(await holder.nextLine(), "held");
  await using _ = await new Tp(laptop).connected();
  const answer = await laptop.run(["curl", "-sS", "-m", "10", page]);
  assert.match(answer.stdout, /EdgyCorp/, answer.stderr);
});

Deno.test("a file in the place of the connector's socket is replaced", async () => {
  await using laptop = await Laptop.open(await openCluster());
  const before = await laptop.snapshot();
  await prepare(
    laptop,
    "mkdir -m 700 /run/user/0/tp; echo >/run/user/0/tp/connector.sock",
  );
  const tp = new Tp(laptop);
  await tp.ok(["connect"]);
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("a directory with content in the place of the connector's socket is told and kept", async () => {
  await using laptop = await Laptop.open(await openCluster());
  const path = "/run/user/0/tp/connector.sock";
  await prepare(laptop, `mkdir -p -m 700 /run/user/0/tp ${path}/inside`);
  const told = await failToConnect(laptop);
  assert.equal(
    told.cause,
    `Cannot listen on "${path}": something else is there`,
  );
  assert.match(told.remedy, /Move away what is there/);
});

Deno.test("a runtime directory of another user is not used", async () => {
  await using laptop = await Laptop.open(await openCluster());
  const tp = new Tp(laptop, { user: "tp-test" });
  const env = { XDG_RUNTIME_DIR: "/run/user/0" };
  await using _ = await tp.connected([], { env });
});

Deno.test("a full disk that the daemon needs is told", async () => {
  await using laptop = await Laptop.open(await openCluster());
  await prepare(laptop, fullDisk("/var/lib/tp"));
  const told = await failToConnect(laptop);
  assert.match(
    told.cause,
    /^Cannot start the daemon: the disk is full \(.*\/var\/lib\/tp\//,
  );
  assert.match(told.remedy, /Free some space/);
});

Deno.test("a disk that becomes full while the daemon starts is told", async () => {
  await using laptop = await Laptop.open(await openCluster());
  // There is room for the names of files and none for what is in them.
  await prepare(
    laptop,
    fullDisk("/var/lib/tp").replace("nr_inodes=2", "nr_inodes=20"),
  );
  const told = await failToConnect(laptop);
  assert.match(told.cause, /^Cannot start the daemon: the disk is full/);
});

Deno.test("a full disk that the connector needs is told", async () => {
  await using laptop = await Laptop.open(await openCluster());
  await prepare(laptop, fullDisk("/home/tp-test/.cache", "tp-test"));
  const env = { XDG_RUNTIME_DIR: "" };
  const told = await failToConnect(laptop, [], { user: "tp-test", env });
  assert.match(told.cause, /: the disk is full \(.*\.cache\/tp/);
  assert.match(told.remedy, /Free some space/);
});

Deno.test("a full disk that only a log would need keeps nobody from connecting", async () => {
  await using laptop = await Laptop.open(await openCluster());
  await prepare(laptop, fullDisk("/root/.cache"));
  await using _ = await new Tp(laptop).connected();
});

Deno.test("full disks everywhere are told", async () => {
  await using laptop = await Laptop.open(await openCluster());
  await prepare(
    laptop,
    `${fullDisk("/var/lib/tp")}\n${fullDisk("/root/.cache")}`,
  );
  const told = await failToConnect(laptop);
  assert.match(told.cause, /: the disk is full/);
  assert.match(told.remedy, /Free some space/);
});

Deno.test("a second user of the laptop is told who holds the network, and asked for no password", async () => {
  await using laptop = await Laptop.open(await openCluster());
  const users = ["root", "tp-test"] as const;
  for (const user of users) {
    const other = users.find((one) => one !== user)!;
    await using _ = await new Tp(laptop, { user }).connected();
    const told = await failWhileConnected(laptop, [], { user: other });
    assert.equal(
      told.cause,
      `Cannot use the network: user "${user}" is connected on this host`,
    );
    assert.match(told.remedy, /that user's `tp quit`/);
    assert.equal(told.progress, "");
    const answer = await laptop.run(["curl", "-sS", "-m", "10", page]);
    assert.match(answer.stdout, /EdgyCorp/, answer.stderr);
  }
});

Deno.test("who is connected already is told to what when it is asked for something else, and stays connected", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected(["--namespace", "kube-system"]);
  const other = await writeAccess(laptop, await adminAccess(cluster));
  const requests = [
    ["--kubeconfig", other],
    ["--namespace", "default"],
    ["--manager-namespace", "elsewhere"],
  ];
  for (const args of requests) {
    const told = await failWhileConnected(laptop, args);
    const [, wanted, there] =
      /^Cannot connect to (.+): this laptop is connected to (.+)$/
        .exec(told.cause) ?? [];
    assert.match(there!, /^context "default" .*namespace "kube-system"/);
    assert.notEqual(wanted, there);
    assert.match(told.remedy, /`tp quit` first/);
  }
  const unknown = await failWhileConnected(laptop, ["--context", "none"]);
  assert.match(unknown.cause, /^Cannot use context "none"/);
  assert.match(await tp.ok(["connect"]), /^Already connected to context/m);
  const answer = await laptop.run(["curl", "-sS", "-m", "10", page]);
  assert.match(answer.stdout, /EdgyCorp/, answer.stderr);
});
