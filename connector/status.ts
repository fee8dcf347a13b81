import { version } from "../build.ts";
import type { Status } from "./api.ts";

/** The state of a connector that holds no connection. */
export function idleStatus(
  status: Status["user_daemon"]["status"],
): Status {
  return {
    user_daemon: {
      running: true,
      version,
      executable: Deno.execPath(),
      pid: Deno.pid,
      status,
      intercepts: [],
    },
  };
}

/** The release in what a peer of a session calls itself, e.g. `0.1.0` of `tp/0.1.0`. */
export function releaseOf(product: string): string {
  return product.slice(product.indexOf("/") + 1);
}
