/** The hint for people, added once: what to do about each kind of failure. */
import type { Failure, FailureKind } from "../connector/api.ts";
import { CommandError } from "./_error.ts";

const containerFlags = "`--device /dev/net/tun --cap-add NET_ADMIN`";

/** What serves where the daemon cannot. */
export const withoutRoot =
  "`tp run -- COMMAND` and `tp proxy` reach the cluster without root and without a device";

const remedies: Record<FailureKind, string> = {
  "kubeconfig-missing":
    "Set KUBECONFIG or give `--kubeconfig FILE`; your cluster's admin or cloud tool writes that file",
  "kubeconfig-broken":
    "Correct the file; `kubectl config view` reads the same one",
  "context-unknown":
    "`kubectl config get-contexts` lists the contexts there are",
  "credential-failed":
    "Log in to the cluster again; `kubectl get namespaces` must work first",
  "api-unreachable":
    "Check the network, a VPN that the cluster needs, and the server's address in the kubeconfig",
  "certificate-untrusted":
    "Fetch the kubeconfig anew: it must name the authority (certificate-authority) and a name (server, else tls-server-name) of this server's certificate",
  "certificate-time":
    "Set this laptop's clock right (`date` shows it); if it is, an admin of the cluster must renew that certificate",
  unauthorized:
    "The credentials are wrong or have expired: log in to the cluster again",
  forbidden: "Ask an admin of the cluster for these rights",
  "other-connection":
    "Run `tp quit` first, or add a connection: `tp connect --name NAME`",
  "setting-wrong": "Correct the setting",
  "called-off": "Run `tp connect` again when you want to",
  "endpoint-ambiguous": "Give `--replicas 1`, or leave out `--direct-endpoint`",
  "kubernetes-too-old":
    "Have an admin upgrade the cluster, or give a context whose cluster is newer: `--context NAME`",
  "manager-not-ready":
    "Mend the cause and run `tp connect` again; `--image` names another image",
  "manager-incompatible":
    "Install the release of tp that the manager has, or have an admin run `tp install` with this one",
  "manager-unreachable":
    "`kubectl port-forward` to the same pod must work; `tp install` puts a broken manager right",
  "daemon-absent": "Run `tp connect` again",
  "daemon-failed":
    "Run `tp connect` again; the daemon's log may tell more: /var/lib/tp/daemon.log (root)",
  "network-held": "One user at a time: that user's `tp quit` frees it",
  "tun-missing":
    `Load the module (\`modprobe tun\`); in a container pass ${containerFlags}. ${withoutRoot}`,
  "tun-denied": `In a container pass ${containerFlags}. ${withoutRoot}`,
  "host-refused":
    "Change what is in the way on this host; `ip address` and `ip route` show its network",
  "socket-taken": "Move away what is there, or end the program that holds it",
  "disk-full": "Free some space and run `tp connect` again",
  "not-connected": "Run `tp connect` first",
  "connection-unknown": "`tp status` names the connections there are",
  "connection-ambiguous": "Say which: `--use NAME`",
  "connections-full": "End one that you need no more: `tp quit --use NAME`",
  "intercepts-missing":
    "`tp install` (an admin of the cluster) brings the manager to this release, which knows them",
  "intercept-name":
    "Use lower-case letters, digits and `-`; `--workload` names a workload that is called otherwise",
  "intercept-exists": "`tp leave NAME` ends it; or give this one another name",
  "intercept-unknown": "`tp status` tells the names of this laptop's",
  "intercept-conflict":
    "Give `--http-header` conditions that differ, or wait until its holder leaves; `tp list` shows who that is",
  "intercept-denied":
    "The admin of the cluster made that rule, and can change it",
  "intercept-failed": "Mend the cause and run the command again",
  "intercept-elsewhere":
    "Or intercept by way of that manager: `tp quit`, then `tp connect --manager-namespace NAMESPACE`",
  "workload-unknown":
    "`tp list` shows the workloads of the namespace; `--namespace` names another, and `--workload` what an intercept of another name is of",
  "workload-ambiguous": "Name its kind: `--workload KIND/NAME`",
  "workload-unsupported": "`tp list` shows what can be intercepted",
  "service-unknown": "Give one of them, or leave `--service` out",
  "container-unknown": "Give one of them, or leave `--container` out",
  "port-unknown": "Give one that is there: `--port LAPTOP-PORT:PORT`",
  "port-ambiguous": "Choose one: `--port LAPTOP-PORT:PORT`",
  "match-without-requests":
    "Take all of that port: leave out what says which requests",
  "address-unknown":
    "Give `--address` a name that `getent hosts NAME` finds here, or an IP address",
  "address-routed":
    "Give `--address` an address of this laptop, or of a host that it reaches without the cluster",
  "port-in-use":
    "Give another port of the laptop, or end the other intercept: `tp leave NAME`",
  "pod-port-in-use":
    "End the program that has it (`ss -ltnp` shows it), or leave that `--to-pod` out",
  "pod-port-denied":
    "Leave that `--to-pod` out, or have an admin of the laptop open such ports (`net.ipv4.ip_unprivileged_port_start`)",
  "publish-port-in-use":
    "End the program that has it (`ss -ltnp` shows it), or give another: `--publish OTHER:PORT`",
  "publish-port-denied": "Give one from 1024 on: `--publish OTHER:PORT`",
  "mount-failed": "Give another directory: `--mount DIRECTORY`",
  "not-removed":
    "Run it again to go on; `kubectl describe` tells what holds the object",
  internal: "The connector's log tells more: ~/.cache/tp/connector.log",
};

/** The failure as the user shall read it: a line each for cause, details and remedy. */
export function failureError(failure: Failure): CommandError {
  const { cause, details = [] } = failure;
  const lines = [...details, remedyOf(failure)].map(onOneLine);
  return new CommandError(onOneLine(cause), lines.join("\n    "));
}

/** What a server says may have several. */
function onOneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}

/** What to do about it, as one line. */
export function remedyOf(
  { kind, adminCommands = [] }: Pick<Failure, "kind" | "adminCommands">,
): string {
  if (adminCommands.length === 0) return remedies[kind];
  const commands = adminCommands.map((command) => `\`${command}\``);
  return `Ask an admin of the cluster to run ${commands.join(" and ")}`;
}
