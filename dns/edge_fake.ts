import type { Ip } from "../net/mod.ts";
import type { ResolverEdge } from "./edge.ts";

/** A host's resolver that remembers what was done to it. */
export class FakeResolverEdge implements ResolverEdge {
  readonly done: string[] = [];
  /** Thrown by the next change. */
  failure: Error | undefined;
  ownNameservers: Ip[] = [];

  apply(nameserver: Ip): Promise<void> {
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
