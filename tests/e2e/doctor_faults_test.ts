/** `tp doctor` where something is wrong: each fault is made for real, named by its check alone, and has its remedy. */
import assert from "node:assert/strict";
import {
  atWrongTime,
  type Cluster,
  Laptop,
  makeUser,
  openCluster,
} from "../cluster/mod.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { assertSameState } from "../support/same_state.ts";
import { assertTold, doing } from "./doctor_examination.ts";

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
