/**
 * systemd-resolved as the host's resolver: zones of a link of its own, told by `resolvectl`.
 *
 * 1. The link takes no part in what is not asked by name: no default route for names, no LLMNR, no mDNS.
 * 2. Zones come before the nameserver: at no time is it asked more than them.
 * 3. systemd-resolved forgets all of it when the link goes, whoever dies. Nothing is kept for later.
 */
import type { Ip } from "../../net/mod.ts";
import { logger } from "../../log.ts";
import { type ResolverEdge, ResolverError, type ResolverPlan } from "./edge.ts";

const log = logger("dns");

/** The most domains that systemd-resolved takes for a link (LINK_SEARCH_DOMAINS_MAX). */
export const maxDomains = 256;
/** Where it writes down what it was told of a link, so that a restarted one knows. */
const linkDirectory = "/run/systemd/resolve/netif";

/** Runs `resolvectl` with these arguments; rejects when that fails. */
export type Resolvectl = (args: readonly string[]) => Promise<void>;

/** `resolvectl` did not end in time. */
export class ResolvectlHangs extends Error {
  override readonly name = "ResolvectlHangs";
}

/** It knows nothing of the link. */
export const noStamp = "";

interface Applied {
  plan: ResolverPlan;
  domains: readonly string[];
  stamp: string;
}

export class ResolvedEdge implements ResolverEdge {
  readonly #resolvectl: Resolvectl;
  readonly #stampOf: (index: number) => Promise<string>;
  #applied: Applied | undefined;

  constructor(resolvectl: Resolvectl, stampOf = stampOfLink) {
    this.#resolvectl = resolvectl;
    this.#stampOf = stampOf;
  }

  async apply(plan: ResolverPlan): Promise<void> {
    const { name, index } = plan.device;
    const domains = domainsOf(plan);
    try {
      if (this.#applied?.plan.device.index !== index) await this.#prepare(name);
      await this.#replaceDomains(name, domains);
      await this.#tell("dns", name, String(plan.nameserver));
    } catch (error) {
      this.#applied = undefined;
      await this.#revert(plan).catch(() => {});
      throw new ResolverError(
        "resolver-unwritable",
        "Cannot set the resolver: systemd-resolved refused",
        { cause: error },
      );
    }
    this.#applied = { plan, domains, stamp: await this.#stampOf(index) };
  }

  async restore(): Promise<void> {
    const applied = this.#applied;
    if (applied === undefined) return;
    await this.#revert(applied.plan);
    this.#applied = undefined;
  }

  /** A systemd-resolved that was told otherwise, or started without memory, is told again. */
  async follow(): Promise<void> {
    const applied = this.#applied;
    if (applied === undefined) return;
    const { plan, stamp } = applied;
    if (await this.#stampOf(plan.device.index) === stamp) return;
    this.#applied = undefined;
    try {
      await this.apply(plan);
    } catch (error) {
      this.#applied = { ...applied, stamp: "to be told again" };
      throw error;
    }
  }

  /** The host's own are the business of who chose this edge. */
  nameservers(): Promise<readonly Ip[]> {
    return Promise.resolve([]);
  }

  async #prepare(name: string): Promise<void> {
    await this.#tell("default-route", name, "no");
    for (const protocol of ["llmnr", "mdns", "dnssec", "dnsovertls"]) {
      // One that it was built without is off; one that hangs is not asked of the next.
      await this.#tell(protocol, name, "no").catch((error) => {
        if (error instanceof ResolvectlHangs) throw error;
        log.debug("not switched off", { protocol, error });
      });
    }
  }

  /** While it replaces domains, those of before count too: what goes away goes first when both do not fit. */
  async #replaceDomains(
    name: string,
    domains: readonly string[],
  ): Promise<void> {
    const before = this.#applied?.domains ?? [];
    if (new Set([...before, ...domains]).size > maxDomains) {
      const kept = domains.filter((domain) => before.includes(domain));
      await this.#tell("domain", name, ...kept.length > 0 ? kept : [""]);
    }
    await this.#tell("domain", name, ...domains);
  }

  /** A link that is gone, or was never told of, has nothing to revert. */
  async #revert({ device: { name, index } }: ResolverPlan): Promise<void> {
    try {
      await this.#tell("revert", name);
    } catch (error) {
      if (await this.#stampOf(index) !== noStamp) throw error;
    }
  }

  #tell(verb: string, ...args: string[]): Promise<void> {
    return this.#resolvectl([verb, ...args]);
  }
}

/** As `resolvectl domain` takes them: those that are only asked begin with a tilde. Those that do not fit are left out. */
export function domainsOf(
  { zones, search }: Pick<ResolverPlan, "zones" | "search">,
): string[] {
  const searched = new Set(search);
  return [
    ...searched,
    ...[...new Set(zones)].filter((zone) => !searched.has(zone)).map((zone) =>
      `~${zone}`
    ),
  ].slice(0, maxDomains);
}

/** Changes with every word that systemd-resolved takes about a link. */
async function stampOfLink(index: number): Promise<string> {
  const found = await Deno.stat(`${linkDirectory}/${index}`).catch(() =>
    undefined
  );
  return found ? `${found.ino} ${found.mtime?.getTime()}` : noStamp;
}

/** How long it may take: one that hangs must not keep the daemon from its other duties. */
const timeoutMs = 1_000;

/** Runs the program at `path`, with nothing of this process's environment. */
export function resolvectlAt(path: string): Resolvectl {
  return async (args) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const { code, stderr } = await new Deno.Command(path, {
      args: [...args],
      clearEnv: true,
      cwd: "/",
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      signal,
    }).output();
    if (code === 0) return;
    if (signal.aborted) {
      throw new ResolvectlHangs(`Cannot run "resolvectl ${args[0]}": it hangs`);
    }
    const said = new TextDecoder().decode(stderr).trim();
    throw new Error(`Cannot run "resolvectl ${args[0]}": ${said || code}`);
  };
}
