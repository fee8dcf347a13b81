import type { InterceptFlags } from "./_intercept_flags.ts";

/** What is of a workload, of which `--local-only` has none. */
const ofWorkload = {
  workload: "--workload",
  service: "--service",
  container: "--container",
  port: "--port",
  address: "--address",
  toPod: "--to-pod",
  httpHeader: "--http-header",
  httpPathEqual: "--http-path-equal",
  httpPathPrefix: "--http-path-prefix",
  httpPathRegex: "--http-path-regex",
  httpMethod: "--http-method",
  httpAny: "--http-any",
  envFile: "--env-file",
  envJson: "--env-json",
} as const satisfies Partial<Record<keyof InterceptFlags, string>>;

/** @throws {SyntaxError} if `--local-only` stands beside a flag that it would leave without effect. */
export function mustBeAlone(
  flags: Pick<InterceptFlags, "localOnly" | keyof typeof ofWorkload>,
): void {
  if (!flags.localOnly) return;
  const beside = Object.entries(ofWorkload).filter(([key]) =>
    flags[key as keyof typeof ofWorkload] !== undefined
  ).map(([, flag]) => flag);
  if (beside.length === 0) return;
  throw new SyntaxError(
    `Cannot have ${beside.join(" and ")} with --local-only: ` +
      "nothing of a workload comes to this laptop then",
  );
}
