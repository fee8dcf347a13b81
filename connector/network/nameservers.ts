import {
  ownNameservers,
  parseResolvConf,
  resolvedFile,
} from "../../dns/mod.ts";
import type { Ip } from "../../net/mod.ts";

/** The host's own nameservers, those of `/etc/resolv.conf` without ours, and search list, followed as the file changes. */
export class HostNameservers {
  readonly #path: string;
  readonly #ours: ((ip: Ip) => boolean) | undefined;
  #stamp = "";
  #found: Ip[] = [];
  #search: readonly string[] = [];

  /**
   * @param ours Tells the address that an edge has given to the host. A stub on the host that would ask it gives way to
   * those behind. When absent, the host is as it is.
   */
  constructor(ours?: (ip: Ip) => boolean, path = "/etc/resolv.conf") {
    this.#ours = ours;
    this.#path = path;
  }

  /** The nameservers as last read. */
  get current(): Ip[] {
    return this.#found;
  }

  /** The domains in which the host looks for single labels, as last read. */
  get search(): readonly string[] {
    return this.#search;
  }

  /** Reads the file again if it changed. While it cannot be read, what was read last counts. */
  async refresh(): Promise<Ip[]> {
    try {
      const own = await Deno.stat(this.#path);
      const behind = await Deno.stat(resolvedFile).catch(() => undefined);
      const stamp = [own, behind].map((file) =>
        `${file?.mtime?.getTime()} ${file?.ino} ${file?.size}`
      ).join(" ");
      if (stamp !== this.#stamp) {
        const text = await Deno.readTextFile(this.#path);
        const { nameservers, search } = parseResolvConf(text);
        this.#found = this.#ours
          ? await ownNameservers(text, this.#ours)
          : [...nameservers];
        this.#search = search;
        this.#stamp = stamp;
      }
    } catch {
      this.#stamp = "";
    }
    return this.#found;
  }
}
