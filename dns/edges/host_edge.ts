/**
 * The host's resolver, by the edge that fits this host.
 *
 * 1. Each change asks the host anew which edge that is; one that is not chosen any more is restored first.
 * 2. When systemd-resolved does not take our zones, the file is what is left.
 */
import type { Ip } from "../../net/mod.ts";
import { logger } from "../../log.ts";
import {
  choiceOf,
  chooseEdge,
  type EdgeChoice,
  type HostFacts,
} from "./choose_edge.ts";
import {
  type ChoosingEdge,
  type ResolverEdge,
  ResolverError,
  type ResolverPlan,
} from "./edge.ts";
import { readHostFacts } from "./host_facts.ts";
import { ownNameservers } from "./host_facts_linux.ts";
import { ResolvConfEdge, type ResolvConfPaths } from "./resolv_conf_edge.ts";
import {
  forgetAnswers,
  ResolverDirectoryEdge,
} from "./resolver_directory_edge.ts";
import { resolvectlAt, ResolvedEdge } from "./resolved_edge.ts";

const log = logger("dns");

export interface HostEdgeOptions {
  paths: ResolvConfPaths;
  /** Where macOS has files for zones. */
  directory: string;
  /** What is read of the host; the host itself when absent. */
  readFacts?: () => Promise<HostFacts>;
  /** Of the program at that path; the real ones when absent. */
  resolved?: (resolvectl: string) => ResolverEdge;
  /** Has macOS forget answers; its programs are told when absent. */
  forget?: () => Promise<void>;
}

export class HostEdge implements ChoosingEdge {
  readonly #readFacts: () => Promise<HostFacts>;
  readonly #newResolved: (resolvectl: string) => ResolverEdge;
  readonly #file: ResolvConfEdge;
  readonly #directory: ResolverEdge;
  #resolved: ResolverEdge | undefined;
  #applied: { edge: ResolverEdge; choice: EdgeChoice; ours: Ip } | undefined;

  constructor(
    { paths, directory, readFacts, resolved, forget }: HostEdgeOptions,
  ) {
    this.#file = new ResolvConfEdge(paths);
    this.#directory = new ResolverDirectoryEdge({
      directory,
      forget: forget ?? forgetAnswers,
    });
    this.#readFacts = readFacts ??
      (() => readHostFacts([paths.original, paths.copy, paths.file]));
    this.#newResolved = resolved ??
      ((path) => new ResolvedEdge(resolvectlAt(path)));
  }

  get choice(): EdgeChoice | undefined {
    return this.#applied?.choice;
  }

  async apply(plan: ResolverPlan): Promise<void> {
    const facts = await this.#readFacts();
    const choice = chooseEdge(facts);
    if (choice.edge === "systemd-resolved") {
      this.#resolved ??= this.#newResolved(facts.resolvectl!);
      try {
        return await this.#applyBy(this.#resolved, choice, plan);
      } catch (error) {
        if (!(error instanceof ResolverError)) throw error;
        log.warn("systemd-resolved is not used", { error: error.cause });
        return await this.#applyBy(
          this.#file,
          choiceOf("resolved-refused"),
          plan,
        );
      }
    }
    const isFile = choice.edge === "/etc/resolv.conf";
    await this.#applyBy(isFile ? this.#file : this.#directory, choice, plan);
  }

  async restore(): Promise<void> {
    // A file of ours may be there without our knowing.
    await this.#file.restore();
    await this.#resolved?.restore();
    if (this.#applied?.edge === this.#directory) {
      await this.#directory.restore();
    }
    this.#applied = undefined;
  }

  async follow(): Promise<void> {
    await this.#applied?.edge.follow();
  }

  async nameservers(): Promise<readonly Ip[]> {
    const { text } = await this.#readFacts();
    const ours = this.#applied?.ours;
    return await ownNameservers(text, (ip) => ours?.equals(ip) ?? false);
  }

  async #applyBy(
    edge: ResolverEdge,
    choice: EdgeChoice,
    plan: ResolverPlan,
  ): Promise<void> {
    const applied = this.#applied;
    if (applied && applied.edge !== edge) await this.restore();
    // The file knows no zones: with the same nameserver it stays as it is.
    const isSame = applied?.edge === this.#file && edge === this.#file &&
      applied.ours.equals(plan.nameserver);
    await (isSame ? edge.follow() : edge.apply(plan));
    this.#applied = { edge, choice, ours: plan.nameserver };
    const { edge: by, reason } = choice;
    log.info("resolver set", { by, reason });
  }
}
