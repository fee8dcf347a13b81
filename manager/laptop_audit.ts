import type { LogFields } from "../log.ts";
import { formatEndpoint } from "../net/mod.ts";
import type { Session } from "../tunnel/mod.ts";
import type { BoundedLog } from "./bounded_log.ts";
import { decodeTarget, type Target } from "./target.ts";

/** Longer names are cut: who asks chooses them. */
const maxNameLength = 64;

export interface LaptopAuditOptions {
  log: BoundedLog;
  /** The users who have intercepts of a session, by its thumbprint: the API server knows them, the session does not. */
  usersOf: (thumbprint: string) => readonly string[];
}

/** What a laptop asked for and may not have. */
export interface ForbiddenWish {
  readonly session: Session;
  /** As it came. */
  readonly target: Uint8Array;
  /** For people. */
  readonly why: string;
}

/** Writes down who asked the manager for what he may not have: a line for each time, within each session's bounds. */
export class LaptopAudit {
  readonly #options: LaptopAuditOptions;

  constructor(options: LaptopAuditOptions) {
    this.#options = options;
  }

  forbid({ session, target: bytes, why }: ForbiddenWish): void {
    const { log, usersOf } = this.#options;
    const { thumbprint } = session.peer;
    const users = thumbprint === undefined ? [] : usersOf(thumbprint);
    const target = decodeTarget(bytes);
    log.write(thumbprint ?? "", {
      ...{ level: "warn", message: "forbidden to a laptop", why },
      ...{ thumbprint, ...users.length > 0 ? { users } : {} },
      ...target && { wanted: target.kind, ...detailsOf(target) },
    });
  }
}

/** Where to, or of what; the other kinds are every laptop's. */
function detailsOf(target: Target): LogFields {
  switch (target.kind) {
    case "tcp":
    case "udp":
      return { to: formatEndpoint(target.ip, target.port) };
    case "echo":
      return { to: String(target.ip) };
    case "pod": {
      const { intercept, wanted } = target;
      const part = { intercept: short(intercept), part: wanted.kind };
      if (wanted.kind === "log") return part;
      if (!("port" in wanted)) return { ...part, of: short(wanted.container) };
      const { port, protocol } = wanted.port;
      return {
        ...{ ...part, of: `${port}/${protocol}` },
        ...wanted.kind === "address" ? { to: String(wanted.ip) } : {},
      };
    }
    case "lookup":
    case "world":
    case "direct":
    case "log":
      return {};
  }
}

function short(name: string): string {
  return name.slice(0, maxNameLength);
}
