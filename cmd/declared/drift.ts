/** What of an intercept is other than declared. Pure. */
import {
  formatPortRequest,
  type InterceptRequest,
  type OwnIntercept,
} from "../../connector/api.ts";

export interface Drift {
  /** As the file calls it. */
  readonly field: string;
  /** As it is, and as it shall be, for people. */
  readonly from: string;
  readonly to: string;
}

/** @param namespace Where an intercept is that names none. */
export function driftOf(
  wanted: InterceptRequest,
  { request, info }: OwnIntercept,
  namespace: string,
): Drift[] {
  const before = fieldsOf(request, namespace);
  const after = fieldsOf(wanted, namespace);
  const drift = Object.keys(after).flatMap((field): Drift[] => {
    const [from, to] = [before[field]!, after[field]!];
    return from === to ? [] : [{ field, from, to }];
  });
  const { disposition, message } = info;
  if (disposition === "AGENT_ERROR" || disposition === "BAD_ARGS") {
    const from = disposition + (message === undefined ? "" : `: ${message}`);
    drift.push({ field: "state", from, to: "ACTIVE" });
  }
  return drift;
}

const fallback = "default";

function fieldsOf(
  request: InterceptRequest,
  namespace: string,
): Record<string, string> {
  const { match, mount } = request;
  return {
    type: request.mode,
    namespace: request.namespace ?? namespace,
    workload: request.workload ?? request.name,
    service: request.service ?? fallback,
    container: request.container ?? fallback,
    ports: listText(request.ports.map(formatPortRequest), fallback),
    address: request.address === "localhost" ? "127.0.0.1" : request.address,
    httpHeaders: listText((match?.headers ?? []).map(headerText)),
    httpPath: match?.path ? `${match.path.kind} ${match.path.value}` : "none",
    httpMethods: listText(match?.methods ?? []),
    httpAny: String(match?.combine === "any"),
    toPod: listText(
      request.toPod.map(({ port, protocol }) => `${port}/${protocol}`),
    ),
    mount: mount === undefined
      ? "false"
      : `${mount.mountPoint ?? true}${mount.readOnly ? ":ro" : ""}`,
    localOnly: String(request.localOnly),
  };
}

function headerText(
  { name, kind, value }: { name: string; kind: string; value: string },
): string {
  return `${name}=${kind === "regex" ? `/${value}/` : value}`;
}

function listText(values: readonly string[], none = "none"): string {
  return values.length === 0 ? none : values.join(", ");
}
