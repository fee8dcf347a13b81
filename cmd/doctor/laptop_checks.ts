import { remedyOf, withoutRoot } from "../_failure.ts";
import { rootTools } from "../_root.ts";
import { type Check, failed, ok, warning } from "./check.ts";

/** What this laptop needs, connected or not. */
export const laptopChecks: Check[] = [
  {
    id: "leftover",
    title: "Leftovers",
    judge: ({ laptop }) =>
      laptop.leftover
        ? failed(
          "a daemon that was killed left routes or a resolver file on this host",
          "`tp status` undoes it",
        )
        : ok("none of killed processes"),
  },
  {
    id: "connector",
    title: "Connector",
    judge({ laptop: { connector } }) {
      if (connector === "runs") return ok("it runs and answers");
      if (connector === "none") return ok("none runs; `tp connect` starts it");
      return failed(connector.failure, connector.remedy);
    },
  },
  {
    id: "tun",
    title: "TUN",
    judge({ laptop: { tun } }) {
      if (tun === "usable") return ok("/dev/net/tun opens");
      if (tun === "built-in") {
        return warning(
          "this is macOS, for which tp is written and was never run",
          "`tp proxy` needs nothing of the system; report what does not work",
        );
      }
      if (tun === "for-root") return ok("/dev/net/tun is there, for root");
      const inVain = "`tp connect` cannot make its device";
      if (tun === "missing") {
        return failed(
          `/dev/net/tun is missing: ${inVain}`,
          remedyOf({ kind: "tun-missing" }),
        );
      }
      const denied = tun === "no-capability"
        ? "/dev/net/tun opens, but not even root has CAP_NET_ADMIN here"
        : tun === "denied"
        ? "not even root may open /dev/net/tun here"
        : `/dev/net/tun does not open: ${tun.failure}`;
      return failed(`${denied}: ${inVain}`, remedyOf({ kind: "tun-denied" }));
    },
  },
  {
    id: "root",
    title: "Root",
    judge({ laptop: { root } }) {
      if (root === "root") return ok("this is root");
      if (root === "forbidden") {
        return warning(
          "no program becomes root here (no_new_privs): `tp connect` cannot start its daemon",
          `In a pod set \`allowPrivilegeEscalation: true\`, with docker leave out \`--security-opt no-new-privileges\`, or run as root. ${withoutRoot}`,
        );
      }
      if (root !== "none") return ok(`by ${root}`);
      return warning(
        `this user is not root, and there is no ${
          rootTools.join(", ")
        }: \`tp connect\` cannot start its daemon`,
        `Install sudo, or run as root. ${withoutRoot}`,
      );
    },
  },
];
