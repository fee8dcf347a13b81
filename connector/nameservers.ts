import { parseResolvConf } from "../dns/mod.ts";
import type { Ip } from "../net/mod.ts";

/** The host's own nameservers: those of `/etc/resolv.conf` without ours, followed as the file changes. */
export class HostNameservers {
  readonly #path: string;
  readonly #ours: (ip: Ip) => boolean;
  #stamp = "";
  #found: Ip[] = [];

  /** @param ours Tells the address that the edge has put into the file. */
  constructor(ours: (ip: Ip) => boolean, path = "/etc/resolv.conf") {
    this.#ours = ours;
    this.#path = path;
  }

  /** The nameservers as last read. */
  get current(): Ip[] {
    return this.#found;
  }

  /** Reads the file again if it changed. While it cannot be read, what was read last counts. */
  async refresh(): Promise<Ip[]> {
    try {
      const { mtime, ino, size } = await Deno.stat(this.#path);
      const stamp = `${mtime?.getTime()} ${ino} ${size}`;
      if (stamp !== this.#stamp) {
        const { nameservers } = parseResolvConf(
          await Deno.readTextFile(this.#path),
        );
        this.#found = nameservers.filter((ip) => !this.#ours(ip));
        this.#stamp = stamp;
      }
    } catch {
      this.#stamp = "";
    }
    return this.#found;
  }
}
