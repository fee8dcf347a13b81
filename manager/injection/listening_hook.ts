/** What has a pod wait for its agent. Pure. */
import type { AgentPort } from "../agent_api.ts";
import type { Handler } from "./pod_spec.ts";

/** How long an agent may take until it listens. Its container is ended then, and where it starts again has as long again. */
const listeningSeconds = 60;

/** Sleeps of 1/20 s before the longer ones of 1/2 s, which cost a slow container less. */
const shortSleeps = 20;

/** State of a TCP socket that listens, as the tables below have it. */
const listen = "0A";

/**
 * A hook that ends when the agent listens at all its ports; `undefined` when it has none. After the start of the agent's
 * container it holds up the containers that follow and the pod's being ready, and unlike a startup probe, whose least period
 * is a second, no longer than the agent needs.
 * https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
 *
 * It looks into the kernel's tables of sockets (proc_pid_net(5)): these are right for an agent that was killed and starts
 * again, too. Where a runtime has none, nobody waits.
 */
export function listeningHook(
  ports: readonly Pick<AgentPort, "protocol" | "agentPort">[],
): Handler | undefined {
  if (ports.length === 0) return undefined;
  const conditions = ports.map(({ protocol, agentPort }) => {
    const port = agentPort.toString(16).toUpperCase().padStart(4, "0");
    return protocol === "UDP"
      ? `has udp "*:${port} *"`
      : `has tcp "*:${port} ${listen}"`;
  });
  const longSleeps = (listeningSeconds - 1) * 2;
  const script = `test -r /proc/net/tcp || exit 0
has() {
  for table in /proc/net/$1 /proc/net/\${1}6; do
    test -r $table || continue
    while read -r _ address _ state _; do
      case "$address $state" in $2) return 0 ;; esac
    done <$table
  done
  return 1
}
sleeps=0
until ${conditions.join(" && ")}; do
  if test $sleeps -ge ${shortSleeps + longSleeps}; then
    echo "the agent does not listen after ${listeningSeconds} s"
    exit 1
  fi
  if test $sleeps -lt ${shortSleeps}; then sleep 0.05; else sleep 0.5; fi
  sleeps=$((sleeps + 1))
done
`;
  return { exec: { command: ["/bin/sh", "-c", script] } };
}
