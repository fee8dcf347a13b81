import { dirname } from "node:path";
import type { Cluster } from "./cluster.ts";
import {
  type CommandOptions,
  type CommandResult,
  must,
  run,
} from "./command.ts";
import { linkToCluster } from "./external.ts";
import { allowTo, changeSet } from "./firewall.ts";
import { mustKubectl } from "./kubectl.ts";
import {
  divertClusterLink,
  restoreClusterLink,
  setLinkCongestionControl,
  setLinkMtu,
  setSuperPackets,
} from "./laptop_link.ts";
import {
  accounts,
  defaultResolvConf,
  laptopFiles,
  laptopMounts,
  type LaptopUser,
  writeFile,
} from "./laptop_files.ts";
import {
  clusterLink,
  directRoutes,
  type LaptopAddresses,
  linksSettled,
  linkToBed,
  makeLaptopNetwork,
  nodeInterface,
} from "./laptop_network.ts";
import { claimLaptopNumber, releaseLaptopNumber } from "./laptop_number.ts";
import { holderName, netnsName, removeLaptop } from "./laptop_removal.ts";
import {
  enterOtherNetwork,
  leaveOtherNetwork,
  takeOtherAddresses,
  takeUsualAddresses,
} from "./laptop_roaming.ts";
import { ipBatch, netnsPids } from "./netns.ts";
import { startOutside } from "./outside.ts";
import { startHolder } from "./process.ts";
import { nodeSettings } from "./settings.ts";
import { takeSnapshot } from "./snapshot.ts";

export interface LaptopOptions {
  /** Content of /etc/resolv.conf; default {@link defaultResolvConf}. */
  readonly resolvConf?: string;
}

export interface LaptopCommandOptions extends Omit<CommandOptions, "clearEnv"> {
  /** Default "root". */
  readonly user?: LaptopUser;
}

/** What a laptop must know of the cluster that it is beside. */
export interface ClusterOfLaptop
  extends Pick<Cluster, "isBed" | "apiServerAddress" | "kubectlPath"> {
  /** kubectl as the administrator; its kubeconfig becomes the laptop's. */
  readonly kubectl: Cluster["kubectl"];
  /** Links the network namespace of a laptop to the API server, where none of the usual ways does; lines for its /etc/hosts. */
  linkLaptop?(netns: string, number: number): Promise<string>;
}

/**
 * A laptop of the tests: network, mount and host name namespaces of its own, linked to the cluster's API server and to
 * the outside world and to nothing else. It has its own /etc, homes, /run, /var/lib and /var/cache, which begin as the
 * host's and end with it, kubectl in its PATH, and a kubeconfig in its homes.
 */
export class Laptop implements AsyncDisposable {
  /** From 1; names and addresses derive from it. */
  readonly number: number;
  /** Its network namespace, below /run/netns. */
  readonly netns: string;
  readonly #cluster: ClusterOfLaptop;
  readonly #holder: number;

  private constructor(
    cluster: ClusterOfLaptop,
    number: number,
    holder: number,
  ) {
    this.#cluster = cluster;
    this.#holder = holder;
    this.number = number;
    this.netns = netnsName(number);
  }

  static async open(
    cluster: ClusterOfLaptop,
    { resolvConf = defaultResolvConf }: LaptopOptions = {},
  ): Promise<Laptop> {
    await startOutside();
    const number = await claimLaptopNumber(removeLaptop);
    try {
      const netns = netnsName(number);
      await makeLaptopNetwork(netns, number);
      const hosts = cluster.linkLaptop
        ? await cluster.linkLaptop(netns, number)
        : cluster.isBed
        ? await linkToBed(netns, number)
        : await linkToCluster(cluster, { netns, number });
      const holder = await startHolder(
        holderName(number),
        ["nsenter", `--net=/run/netns/${netns}`, "unshare", "--mount", "--uts"]
          .concat("--propagation", "private"),
        laptopMounts(number),
      );
      const laptop = new Laptop(cluster, number, holder);
      const kubeconfig = await mustKubectl(
        cluster.kubectl,
        ["config", "view", "--raw", "--flatten"],
      );
      await must(laptop.command(["sh", "-eu"]), {
        stdin: laptopFiles({ number, resolvConf, hosts, kubeconfig }),
      });
      await linksSettled(netns);
      return laptop;
    } catch (error) {
      await removeLaptop(number);
      await releaseLaptopNumber(number);
      throw error;
    }
  }

  /** Runs a command on this laptop, with an environment of its own to which `env` is added. */
  run(
    argv: readonly string[],
    { user = "root", env, cwd, ...options }: LaptopCommandOptions = {},
  ): Promise<CommandResult> {
    return run(this.command(argv, { user, env, cwd }), options);
  }

  /** Starts a command on this laptop whose end is the caller's concern. Its pid is the command's own. */
  spawn(
    argv: readonly string[],
    { user = "root", env, cwd, ...options }:
      & Pick<LaptopCommandOptions, "user" | "env" | "cwd">
      & Pick<Deno.CommandOptions, "stdin" | "stdout" | "stderr"> = {},
  ): Deno.ChildProcess {
    const [program = "", ...args] = this.command(argv, { user, env, cwd });
    return new Deno.Command(program, { args, ...options }).spawn();
  }

  /** The command that runs another one on this laptop, for a caller with a way of its own to run it. */
  command(
    argv: readonly string[],
    { user = "root", env = {}, cwd = "/tmp" }: {
      user?: LaptopUser | undefined;
      env?: Record<string, string> | undefined;
      cwd?: string | undefined;
    } = {},
  ): string[] {
    const { uid, home, runtimeDir } = accounts[user];
    const variables = {
      HOME: home,
      USER: user,
      LOGNAME: user,
      SHELL: "/bin/bash",
      LANG: "C.UTF-8",
      XDG_RUNTIME_DIR: runtimeDir,
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" +
        dirname(this.#cluster.kubectlPath),
      ...env,
    };
    const become = user === "root" ? [] : ["setpriv", "--clear-groups"].concat(
      `--reuid=${uid}`,
      `--regid=${uid}`,
    );
    return [
      "nsenter",
      `--target=${this.#holder}`,
      "--net",
      "--mount",
      "--uts",
      "--",
      ...become,
      "env",
      "--ignore-environment",
      `--chdir=${cwd}`,
      ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      ...argv,
    ];
  }

  /** Puts a fresh /etc/resolv.conf in the place of the one that is there. */
  async writeResolvConf(text: string): Promise<void> {
    await must(this.command(["sh", "-eu"]), {
      stdin: writeFile("/etc/resolv.conf", text, "644"),
    });
  }

  /** The pids of all processes on this laptop. */
  async pids(): Promise<number[]> {
    const pids = await netnsPids(this.netns);
    return pids.filter((pid) => pid !== this.#holder);
  }

  /** What this laptop's network, mounts, processes and files are, as text to be compared with that of another time. */
  async snapshot(): Promise<string> {
    return await takeSnapshot(this);
  }

  /**
   * Lets this laptop reach pods and services by plain routing, as no laptop does: for comparison in benchmarks. Not to
   * be used while `tp` is connected, whose routes it would replace.
   *
   * @returns what closes the path again
   */
  async openDirectPath(): Promise<AsyncDisposable> {
    const routes = directRoutes(this.number);
    const close = await this.#inSet("direct");
    await ipBatch(this.netns, routes.map((route) => `route add ${route}`));
    return {
      [Symbol.asyncDispose]: async () => {
        await ipBatch(this.netns, routes.map((route) => `route del ${route}`));
        await close();
      },
    };
  }

  /**
   * Lets this laptop reach the ports of the first node, not those of the API server alone: what an admin of a cluster
   * opens to laptops.
   *
   * @returns what closes them again
   */
  async openNodePorts(): Promise<AsyncDisposable> {
    return { [Symbol.asyncDispose]: await this.#inSet("direct") };
  }

  /**
   * Lets the cluster's pods and nodes begin connections to this laptop, as those of a cluster that runs on it can.
   *
   * @returns what ends that
   */
  async openToCluster(): Promise<AsyncDisposable> {
    const close = await this.#inSet("direct");
    const { netns } = nodeSettings(1);
    const forbid = await allowTo(netns, nodeInterface(this.number));
    return {
      [Symbol.asyncDispose]: async () => {
        await forbid();
        await close();
      },
    };
  }

  /**
   * Makes a black hole between this laptop and the API server: what is sent vanishes in both directions, and nothing
   * is told so.
   *
   * @returns what mends it
   */
  async severCluster(): Promise<AsyncDisposable> {
    return { [Symbol.asyncDispose]: await this.#inSet("severed") };
  }

  /**
   * Leads the link to the cluster through the network namespace of a process, which finds the halves there as interfaces
   * `laptop` and `node` and carries what shall pass.
   *
   * @returns what joins the link again, before the process ends
   */
  async divertCluster(pid: number): Promise<AsyncDisposable> {
    this.#assertOnBed("divert");
    const link = { netns: this.netns, number: this.number, into: pid };
    await divertClusterLink(link);
    return { [Symbol.asyncDispose]: () => restoreClusterLink(link) };
  }

  /**
   * Takes this laptop into another network: its link to the cluster, its addresses there and its default route change.
   * With `keepsLinks` it stays where it is, and all its addresses change.
   *
   * @returns what takes it back
   */
  async roam({ keepsLinks = false } = {}): Promise<AsyncDisposable> {
    this.#assertOnBed("change");
    const place = { netns: this.netns, number: this.number };
    const [go, comeBack] = keepsLinks
      ? [takeOtherAddresses, takeUsualAddresses]
      : [enterOtherNetwork, leaveOtherNetwork];
    await go(place);
    return { [Symbol.asyncDispose]: () => comeBack(place) };
  }

  /** Lets the kernels send packets of 64 KiB over the link to the cluster (as they do at first), or only what a wire carries. */
  async allowSuperPackets(allowed: boolean): Promise<void> {
    this.#assertOnBed("change");
    await setSuperPackets({ netns: this.netns, number: this.number, allowed });
  }

  /** Has both ends of the link to the cluster take packets up to that size. Below 1280 a link has no IPv6. */
  async setMtu(mtu: number): Promise<void> {
    this.#assertOnBed("change");
    await setLinkMtu({ netns: this.netns, number: this.number, mtu });
  }

  /** Has what is sent over the routes of the link to the cluster, both ways, follow an algorithm of the kernel, e.g. "cubic". */
  async useCongestionControl(algorithm: string): Promise<void> {
    this.#assertOnBed("change");
    const link = { netns: this.netns, number: this.number, algorithm };
    await setLinkCongestionControl(link);
  }

  /** The addresses of the link to the cluster; its gateway is the node. */
  get clusterLink(): LaptopAddresses {
    return clusterLink(this.number);
  }

  /** Ends all that runs on this laptop and removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await removeLaptop(this.number);
    await releaseLaptopNumber(this.number);
  }

  async #inSet(set: "direct" | "severed"): Promise<() => Promise<void>> {
    this.#assertOnBed("change");
    const { netns } = nodeSettings(1);
    const element = { set, interface: nodeInterface(this.number) };
    await changeSet(netns, { action: "add", ...element });
    return () => changeSet(netns, { action: "delete", ...element });
  }

  #assertOnBed(action: string): void {
    if (this.#cluster.isBed) return;
    throw new Error(
      `Cannot ${action} the link of a laptop to the cluster: that of TP_TEST_KUBECONFIG is not the bed`,
    );
  }
}
