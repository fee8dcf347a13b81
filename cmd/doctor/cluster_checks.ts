import type { Found } from "../../connector/mod.ts";
import { remedyOf } from "../_failure.ts";
import { type Check, failed, ok, type Verdict, warning } from "./check.ts";

/** From here on credentials and certificates may be refused as of another time. */
const clockWarningMs = 30_000;
const clockFailureMs = 5 * 60_000;

const largePacketsRemedy =
  "A network on the way may lose large packets: lower the MTU of this laptop's interface or of its VPN (`ip link set dev NAME mtu 1280`)";

/** The way to the cluster, from the file to the manager. */
export const clusterChecks: Check[] = [
  {
    id: "kubeconfig",
    title: "Kubeconfig",
    judge: ({ cluster }) =>
      told(
        cluster.kubeconfig,
        ({ context, server, namespace }) =>
          ok(`context "${context}", ${server}, namespace "${namespace}"`),
      ),
  },
  {
    id: "api-server",
    title: "API server",
    judge: ({ cluster }) =>
      told(
        cluster.apiServer,
        ({ version, answerMs }) =>
          ok(`Kubernetes ${version}, answers in ${answerMs.toFixed(1)} ms`),
      ),
  },
  {
    id: "clock",
    title: "Clock",
    judge({ cluster: { clockLeadMs } }) {
      if (clockLeadMs === undefined) return undefined;
      const apart = Math.abs(clockLeadMs);
      if (apart < clockWarningMs) return ok("as the API server's");
      const side = clockLeadMs > 0 ? "ahead of" : "behind";
      const text = `${
        Math.round(apart / 1000)
      } s ${side} the API server's clock`;
      const remedy =
        "Set this laptop's clock right (`date` shows it); if it is, an admin must set the cluster's";
      return apart < clockFailureMs
        ? warning(text, remedy)
        : failed(`${text}: certificates and credentials may not count`, remedy);
    },
  },
  {
    id: "large-packets",
    title: "Large packets",
    judge({ cluster: { largeQuestion, onlySmallAnswers } }) {
      if (onlySmallAnswers) {
        return failed(
          "the API server answers a few bytes in plain, and nothing by TLS, which takes larger packets",
          largePacketsRemedy,
        );
      }
      if (largeQuestion === undefined) return undefined;
      if ("value" in largeQuestion) {
        return ok(`${largeQuestion.value.bytes} bytes go there and come back`);
      }
      return failed(
        `small requests are answered, a large one is not: ${largeQuestion.failure.cause}`,
        largePacketsRemedy,
      );
    },
  },
  {
    id: "rights",
    title: "Rights",
    judge({ cluster: { missingRights } }) {
      if (missingRights === undefined) return undefined;
      if (missingRights.length === 0) return ok("all that connecting needs");
      return failed(
        missingRights.join("; "),
        "Ask an admin of the cluster to bind this user to the Role tp-user that `tp install` makes",
      );
    },
  },
  {
    id: "manager",
    title: "Manager",
    judge: ({ cluster: { manager, session } }) =>
      told(manager, ({ state, namespace }) => {
        if (state === "missing") {
          return warning(
            `none in namespace "${namespace}"`,
            "`tp connect` installs it; `--manager-namespace` names another place",
          );
        }
        if (state === "coming") {
          return warning(
            `installed in namespace "${namespace}", not ready`,
            `\`kubectl describe pods --namespace ${namespace}\` tells what it waits for`,
          );
        }
        if (session === undefined || !("value" in session)) {
          return ok(`ready in namespace "${namespace}"`);
        }
        const { version, ownVersion, pod } = session.value;
        const text = `${pod}.${namespace}, version ${version}`;
        return version === ownVersion ? ok(text) : warning(
          `${text}; this is ${ownVersion}`,
          "They understand each other; `tp install` (an admin of the cluster) brings the manager to this release",
        );
      }),
  },
  {
    id: "port-forward",
    title: "Port-forward",
    judge: ({ cluster: { session } }) =>
      told(session, ({ transport, roundTripMs }) => {
        const trip = roundTripMs > 0
          ? `, round trip ${roundTripMs.toFixed(1)} ms`
          : "";
        return ok(
          `the manager answers${transport ? ` by ${transport}` : ""}${trip}`,
        );
      }),
  },
];

/** A step that failed is told with its own remedy, one that was not taken not at all. */
function told<T>(
  found: Found<T> | undefined,
  judge: (value: T) => Verdict,
): Verdict | undefined {
  if (found === undefined) return undefined;
  if ("value" in found) return judge(found.value);
  const { cause, details = [] } = found.failure;
  return failed([cause, ...details].join("; "), remedyOf(found.failure));
}
