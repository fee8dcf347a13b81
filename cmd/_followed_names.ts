import type { Status } from "../connector/api.ts";

type FollowedNames = NonNullable<Status["root_daemon"]>["followed_names"];

/** Says which names of `--also-proxy` and `--never-proxy` nobody knows, a line each. */
export function absentTexts(names: FollowedNames = []): string[] {
  return names.filter(({ addresses }) => addresses.length === 0)
    .map(({ name, proxied }) =>
      `Warning: "${name}" of --${proxied}-proxy has no address yet`
    );
}
