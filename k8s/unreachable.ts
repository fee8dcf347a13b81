/** No answer came from the API server: why, as a closed list. */
export const unreachableKinds = [
  /** Somebody at the address said no. */
  "refused",
  /** Nobody answered in time. */
  "timeout",
  /** The name does not resolve. */
  "dns",
  /** No route to the address. */
  "no-route",
  /** The server's certificate does not prove that it is the one. */
  "certificate",
  /** The server's certificate is good at another time than this laptop's clock tells. */
  "certificate-time",
  /** The proxy between did not let us through, or is not there. */
  "proxy",
  /** The connection broke off. */
  "reset",
  /** What answered is no API server. */
  "protocol",
] as const;
export type UnreachableKind = typeof unreachableKinds[number];

/** No answer came from the API server. Thrown by every request. */
export class ApiUnreachableError extends Error {
  override readonly name = "ApiUnreachableError";
  readonly kind: UnreachableKind;
  readonly server: URL;

  constructor(
    server: URL,
    { kind, detail }: Obstacle,
    options?: ErrorOptions,
  ) {
    super(`Cannot reach API server "${server.origin}": ${detail}`, options);
    this.kind = kind;
    this.server = server;
  }
}

/** A kind with its sentence. */
export interface Obstacle {
  kind: UnreachableKind;
  detail: string;
}

/** Thrown below the client where the obstacle is known better than from an error of the runtime. */
export class ObstacleError extends Error {
  override readonly name = "ObstacleError";
  readonly obstacle: Obstacle;

  constructor(obstacle: Obstacle, options?: ErrorOptions) {
    super(obstacle.detail, options);
    this.obstacle = obstacle;
  }
}

/** Each line: what an error's code or message says, and what that means. The first that fits counts. */
const meanings: [RegExp, UnreachableKind, string?][] = [
  [/ECONNREFUSED/, "refused", "connection refused"],
  [/ETIMEDOUT|TimeoutError|timed out/, "timeout", "no answer in time"],
  [
    /ENOTFOUND|EAI_|failed to lookup address/,
    "dns",
    "its name does not resolve",
  ],
  [/ENETUNREACH|EHOSTUNREACH|ENETDOWN/, "no-route", "no route to it"],
  [
    /UnknownIssuer|SELF_SIGNED|UNABLE_TO_|CaUsedAsEndEntity|BadSignature|CERT_SIGNATURE/,
    "certificate",
    "its certificate is not signed by the authority that the kubeconfig names",
  ],
  [
    /NotValidForName|not valid for name|ALTNAME_INVALID/,
    "certificate",
    "its certificate is for another name",
  ],
  [
    /expired/i,
    "certificate-time",
    "by this laptop's clock its certificate has expired",
  ],
  [
    /NotValidYet|not valid yet|CERT_NOT_YET_VALID/,
    "certificate-time",
    "by this laptop's clock its certificate is not valid yet",
  ],
  [
    /alert.*(certificate|UnknownCA|AccessDenied)/i,
    "certificate",
    "it does not accept the client certificate",
  ],
  [/invalid peer certificate|CERT_/, "certificate"],
  [
    /InvalidContentType|WRONG_VERSION_NUMBER|corrupt message|InvalidMessage/,
    "protocol",
    "it does not speak TLS",
  ],
];

/** Sorts an error of the runtime, or of this room, into the list. */
export function obstacleOf(error: unknown): Obstacle {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ObstacleError) return at.obstacle;
    const { code = "" } = at as { code?: string };
    const text = `${code} ${at.name} ${at.message}`;
    const found = meanings.find(([pattern]) => pattern.test(text));
    if (found) return { kind: found[1], detail: found[2] ?? at.message };
  }
  return { kind: "reset", detail: "the connection broke off" };
}
