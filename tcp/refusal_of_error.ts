import { type Refusal, RefusedError } from "../net/mod.ts";

/** System errors by the name that the C library gives them. */
const refusalOfCode: Readonly<Record<string, Refusal>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "refused",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EHOSTDOWN: "unreachable",
  ENETDOWN: "unreachable",
  EAFNOSUPPORT: "unreachable",
  EADDRNOTAVAIL: "overloaded", // no free port towards this address
  EAGAIN: "overloaded",
  EMFILE: "overloaded",
  ENFILE: "overloaded",
  ENOBUFS: "overloaded",
  ENOMEM: "overloaded",
  ETIMEDOUT: "timeout",
  EACCES: "forbidden", // a policy of the kernel or of the network
  EPERM: "forbidden",
};

/** Deno's own classes for some of the same errors. */
const refusalOfClass: Readonly<Record<string, Refusal>> = {
  ConnectionRefused: "refused",
  ConnectionReset: "refused",
  HostUnreachable: "unreachable",
  NetworkUnreachable: "unreachable",
  AddrNotAvailable: "overloaded",
  TimedOut: "timeout",
  TimeoutError: "timeout",
  PermissionDenied: "forbidden",
  NotCapable: "forbidden",
  AbortError: "gone",
};

/** What is told to who wanted to go somewhere, by what the system said. */
export function refusalOfError(error: unknown): RefusedError {
  if (error instanceof RefusedError) return error;
  const { name = "", code = "", message = String(error) } = error instanceof
      Error
    ? error as Error & { code?: string }
    : {};
  const refusal = refusalOfCode[code] ?? refusalOfClass[name] ?? "failed";
  return new RefusedError(refusal, message, { cause: error });
}
