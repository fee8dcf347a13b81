import type { InterceptMode, InterceptRequest } from "../connector/api.ts";
import { matchOf } from "./_header_match.ts";
import type { InterceptFlags } from "./_intercept_flags.ts";

/** What of an intercept's flags the connector is asked with. */
export type RequestFlags = Omit<
  InterceptFlags,
  "envSyntax" | "detailedOutput" | "output"
>;

/**
 * What the connector is asked.
 *
 * @throws {SyntaxError}
 */
export function interceptRequest(
  mode: InterceptMode,
  { name, flags }: { name: string; flags: RequestFlags },
): Omit<InterceptRequest, "isHeld"> {
  const { workload, service, namespace, container, mount } = flags;
  const isOfContainer = mode === "replace" || mode === "ingest";
  const isReadOnly = mode === "wiretap" || mode === "ingest";
  const match = matchOf(flags);
  return {
    // Of one workload, several containers may be replaced.
    name: isOfContainer && container ? `${name}-${container}` : name,
    mode,
    ...isOfContainer ? { workload: name } : {},
    ...workload === undefined ? {} : { workload },
    ...service === undefined ? {} : { service },
    ...namespace === undefined ? {} : { namespace },
    ...container === undefined ? {} : { container },
    ports: [...flags.port ?? []],
    address: flags.address ?? "127.0.0.1",
    ...match === undefined ? {} : { match },
    toPod: [...flags.toPod ?? []],
    ...mount === "off" ? {} : {
      mount: {
        ...mount.directory === undefined ? {} : { mountPoint: mount.directory },
        readOnly: mount.readOnly || isReadOnly,
      },
    },
    localOnly: flags.localOnly ?? false,
  };
}
