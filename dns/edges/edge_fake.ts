import type { Ip } from "../../net/mod.ts";
import { choiceOf } from "./choose_edge.ts";
import type { ChoosingEdge, ResolverPlan } from "./edge.ts";

/** A host's resolver that remembers what was done to it. */
export class FakeResolverEdge implements ChoosingEdge {
  readonly choice = choiceOf("plain");
  readonly done: string[] = [];
  /** Thrown by the next change. */
  failure: Error | undefined;
  ownNameservers: Ip[] = [];
  /** Of the last change. */
  plan: Pick<ResolverPlan, "zones" | "search"> | undefined;

  apply({ nameserver, zones, search }: ResolverPlan): Promise<void> {
    this.plan = { zones, search };
    return this.#do(`apply ${nameserver}`);
  }

  restore(): Promise<void> {
    return this.#do("restore");
  }

  follow(): Promise<void> {
    return this.#do("follow");
  }

  nameservers(): Promise<readonly Ip[]> {
    return Promise.resolve(this.ownNameservers);
  }

  #do(what: string): Promise<void> {
    const { failure } = this;
    this.failure = undefined;
    if (failure) return Promise.reject(failure);
    this.done.push(what);
    return Promise.resolve();
  }
}
