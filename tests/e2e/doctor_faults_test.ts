/** `tp doctor` where something is wrong: each fault is made for real, named by its check alone, and has its remedy. */
import assert from "node:assert/strict";
import {
  atWrongTime,
  type Cluster,
  Laptop,
  type LaptopCommandOptions,
  makeUser,
  must,
  openCluster,
  say,
} from "../cluster/mod.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { executable, Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { ownProcesses } from "../support/own_processes.ts";
import { assertSameState } from "../support/same_state.ts";

interface Verdict {
  id: string;
  state: "ok" | "warning" | "failed";
  found: string;
  remedy?: string;
}

interface Examination extends LaptopCommandOptions {
  /** Words before `tp`. */
  readonly through?: readonly string[];
  readonly args?: readonly string[];
}

/** What is expected of a check: how it stands, what it finds and what it advises. */
type Told = [state: Verdict["state"], found: RegExp, remedy: RegExp];

interface Fault extends Examination {
  /** Completes "tp doctor tells". */
  readonly what: string;
  /** What makes it and, disposed of, mends it. */
  readonly make?: () => Promise<AsyncDisposable>;
  /** By the check's id; all others are well. */
  readonly tells: Record<string, Told>;
}

async function examine(
  laptop: Laptop,
  { through = [], args = [], ...options }: Examination = {},
): Promise<Verdict[]> {
  const { code, stdout, stderr } = await laptop.run(
    [...through, executable, "doctor", "--output", "json", ...args],
    { timeoutMs: 150_000, ...options },
  );
  assert.notEqual(stdout, "", stderr);
  const { ok, checks } = JSON.parse(stdout) as {
    ok: boolean;
    checks: Verdict[];
  };
  assert.equal(code, ok ? 0 : 1);
  return checks;
}

/** A script of root's on the laptop, and one that undoes it. */
async function doing(
  laptop: Laptop,
  [script, undo]: [string, string],
): Promise<AsyncDisposable> {
  const sh = (text: string) => must(laptop.command(["sh", "-euc", text]));
  await sh(script);
  return { [Symbol.asyncDispose]: () => sh(undo).then(() => {}) };
}

/** Has each fault be there and looked at, one after the other. */
async function assertTold(
  t: Deno.TestContext,
  laptop: Laptop,
  faults: readonly Fault[],
): Promise<void> {
  for (const { what, make, tells, ...examination } of faults) {
    await t.step(`it tells ${what}`, async () => {
      await using _ = await make?.();
      const start = performance.now();
      const checks = await examine(laptop, examination);
      const ms = Math.round(performance.now() - start);
      const wrong = checks.filter(({ state }) => state !== "ok");
      for (const { id, state, found, remedy } of wrong) {
        say(`${what} (${ms} ms): ${state} ${id}: ${found} -> ${remedy}`);
      }
      assert.deepEqual(wrong.map(({ id }) => id), Object.keys(tells));
      for (const { id, state, found, remedy } of wrong) {
        const [expected, text, advice] = tells[id]!;
        assert.equal(state, expected, id);
        assert.match(found, text);
        assert.match(remedy!, advice);
      }
    });
  }
}

/** Somebody to whom nothing was granted yet. */
async function stranger(cluster: Cluster, laptop: Laptop) {
  const name = `stranger-${crypto.randomUUID().slice(0, 8)}`;
  const kubeconfig = await writeLaptopFile(
    laptop,
    `/root/${name}`,
    await makeUser(cluster, { name }),
  );
  return { name, kubeconfig };
}

/** Lets somebody see the manager, and not forward a port to it. */
async function maySee(
  cluster: Cluster,
  name: string,
): Promise<AsyncDisposable> {
  const kubectl = async (...args: string[]) => {
    const { code, stderr } = await cluster.kubectl(
      [...args, "--namespace", "ambassador"],
    );
    assert.equal(code, 0, stderr);
  };
  const resources = "--resource=pods,statefulsets.apps,events";
  const verbs = "--verb=get,list,watch";
  await kubectl("create", "role", name, verbs, resources);
  await kubectl(
    ...["create", "rolebinding", name, `--role=${name}`, `--user=${name}`],
  );
  return {
    [Symbol.asyncDispose]: () => kubectl("delete", "role,rolebinding", name),
  };
}

/** A shell command in a mount namespace of its own before `tp`. */
function afterMounting(script: string): string[] {
  return ["unshare", "--mount", "sh", "-euc", `${script}; exec "$0" "$@"`];
}

Deno.test("tp doctor names what is wrong with the laptop and the way to the cluster", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using empty = await managerPlace(cluster);
  const tp = new Tp(laptop);
  {
    // Installs the manager, where nobody has yet.
    await using _ = await tp.connected();
  }
  const before = await laptop.snapshot();
  const [nobody, watcher] = [
    await stranger(cluster, laptop),
    await stranger(cluster, laptop),
  ];
  const root = { PATH: "/usr/sbin" };
  const instead = /`tp run -- COMMAND` and `tp proxy`/;
  await assertTold(t, laptop, [
    {
      what: "a missing /dev/net/tun",
      through: afterMounting("busybox mount -t tmpfs tmpfs /dev/net"),
      tells: { tun: ["failed", /is missing/, /modprobe tun.*`tp run/] },
    },
    {
      what: "a /dev/net/tun that nobody may open",
      through: afterMounting(
        "busybox mount -o remount,bind,nodev /dev/net/tun",
      ),
      tells: {
        tun: ["failed", /^not even root may open/, /--device \/dev\/net\/tun/],
      },
    },
    {
      what: "a root that may make no device",
      through: ["setpriv", "--bounding-set", "-net_admin"],
      tells: { tun: ["failed", /CAP_NET_ADMIN/, /--cap-add NET_ADMIN/] },
    },
    {
      what: "a host without sudo",
      ...{ user: "tp-test", env: root },
      tells: { root: ["warning", /there is no sudo, sudo-rs, doas/, instead] },
    },
    {
      what: "a place where nobody becomes root",
      through: ["setpriv", "--no-new-privs"],
      user: "tp-test",
      tells: { root: ["warning", /no_new_privs/, /allowPrivilegeEscalation/] },
    },
    {
      what: "a kubeconfig without the context",
      args: ["--context", "nowhere"],
      tells: { kubeconfig: ["failed", /"nowhere"/, /get-contexts/] },
    },
    {
      what: "an API server that is away",
      make: () => laptop.severCluster(),
      tells: {
        "api-server": ["failed", /^Cannot reach/, /network, a VPN/],
      },
    },
    {
      what: "a clock that is 10 minutes ahead",
      through: await atWrongTime(600),
      tells: {
        clock: ["failed", /^(599|60\d) s ahead of the API/, /clock right/],
      },
    },
    {
      what: "a clock that is a minute behind",
      through: await atWrongTime(-60),
      tells: {
        clock: ["warning", /^(59|6\d) s behind the API/, /clock right/],
      },
    },
    {
      what: "a way on which large packets are lost",
      make: () =>
        doing(laptop, [
          `nft -f - <<'RULES'
table inet small {
  chain out {
    type filter hook output priority 0
    oifname != "lo" meta length > 600 drop
  }
}
RULES`,
          "nft delete table inet small",
        ]),
      tells: {
        "api-server": ["failed", /no answer within/, /Check the network/],
        "large-packets": ["failed", /nothing by TLS/, /mtu 1280/],
      },
    },
    {
      what: "rights that are missing",
      args: ["--kubeconfig", nobody.kubeconfig],
      tells: {
        rights: ["failed", /get pods/, /tp-user/],
        manager: ["failed", /lacks rights/, /`tp install/],
      },
    },
    {
      what: "a port-forward that is not allowed",
      make: () => maySee(cluster, watcher.name),
      args: ["--kubeconfig", watcher.kubeconfig],
      tells: {
        rights: ["failed", /pods\/portforward/, /tp-user/],
        "port-forward": ["failed", /lacks rights/, /admin/],
      },
    },
    {
      what: "a cluster without the manager",
      args: [...empty.flag],
      tells: {
        manager: ["warning", /^none in namespace/, /`tp connect` installs it/],
      },
    },
  ]);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("tp doctor names what is wrong with a connection that stands", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const office = "ip link add office type bridge; ip link set office up; " +
    "ip route add 10.244.0.0/16 dev office";
  await must(laptop.command(["sh", "-euc", office]));
  await using _ = await tp.connected();
  const { dns } =
    JSON.parse(await tp.ok(["status", "--output=json"])).root_daemon;
  const { connector } = await ownProcesses(laptop);

  await t.step("a solved overlap is told, and nothing is wrong", async () => {
    const checks = await examine(laptop);
    const overlaps = checks.find(({ id }) => id === "overlaps")!;
    say(`${overlaps.state} overlaps: ${overlaps.found}`);
    assert.match(
      overlaps.found,
      /as \S+ \(the host routes 10\.244\.0\.0\/16 through office\)/,
    );
    assert.deepEqual(checks.filter(({ state }) => state !== "ok"), []);
  });

  await assertTold(t, laptop, [
    {
      what: "a resolver file that somebody else holds",
      make: () =>
        doing(laptop, [
          "echo nameserver 192.0.2.1 >/run/of-another; " +
          "busybox mount -o bind /run/of-another /etc/resolv.conf; " +
          "busybox mount -o remount,bind,ro /etc/resolv.conf",
          "busybox umount /etc/resolv.conf; rm /run/of-another",
        ]),
      tells: {
        "resolver-file": ["failed", /asks 192\.0\.2\.1 first/, /`tp quit`/],
        getaddrinfo: ["failed", /kubernetes\.default/, /^As above$/],
      },
    },
    {
      what: "a route that another program took away",
      make: () =>
        doing(laptop, [
          "ip route show 10.96.0.0/16 dev tp0 >/run/route; " +
          "ip route del 10.96.0.0/16 dev tp0",
          "ip route add $(cat /run/route) dev tp0; rm /run/route",
        ]),
      tells: {
        routes: [
          "failed",
          /^10\.96\.0\.0\/16: no route by tp0/,
          /VPN.*`tp connect`/,
        ],
      },
    },
    {
      what: "a DNS that does not answer",
      make: () =>
        doing(laptop, [
          "nft add table inet deaf; " +
          "nft add chain inet deaf in '{ type filter hook input priority 0; }'; " +
          `nft add rule inet deaf in ip saddr ${dns.vif_address} drop`,
          "nft delete table inet deaf",
        ]),
      tells: {
        "dns-query": ["failed", /does not tell "kubernetes/, /kube-system/],
        getaddrinfo: ["failed", /kubernetes\.default/, /As above/],
      },
    },
    {
      what: "a connector that was stopped",
      make: () => {
        Deno.kill(connector, "SIGSTOP");
        return Promise.resolve({
          [Symbol.asyncDispose]: () => {
            Deno.kill(connector, "SIGCONT");
            return Promise.resolve();
          },
        });
      },
      tells: { connector: ["failed", /has stopped it/, /kill -CONT/] },
    },
  ]);
});
