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
    judge: ({ laptop: { tun } }) =>
      tun === "there" ? ok("/dev/net/tun is there") : failed(
        "/dev/net/tun is missing: `tp connect` cannot open its device",
        "Load the module (`modprobe tun`); in a container pass `--device /dev/net/tun --cap-add NET_ADMIN`; or use `tp run` or `tp proxy`",
      ),
  },
  {
    id: "root",
    title: "Root",
    judge({ laptop: { root } }) {
      if (root === "root") return ok("this is root");
      if (root !== "none") return ok(`by ${root}`);
      return warning(
        `this user is not root, and there is no ${
          rootTools.join(", ")
        }: \`tp connect\` cannot start its daemon`,
        "Install sudo, run as root, or use `tp run` or `tp proxy`, which need neither",
      );
    },
  },
];
