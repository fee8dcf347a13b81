/**
 * Whether the API server reaches the manager's webhook, tried before any pod is replaced.
 *
 * 1. A pod is made in the manager's own namespace, with `dryRun`: none comes to be.
 * 2. The webhook, of whichever copy of the manager, is told by its label to give it an agent.
 * 3. The pod that the API server answers has the agent, or the webhook was not asked.
 */
import {
  type ApiClient,
  ApiError,
  type Pod,
  resources,
} from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import { type Agent, agentContainerName } from "../agent_object.ts";

const log = logger("manager");

const trialLabel = "tp.dev/webhook-trial";
const name = "traffic-agent-trial";

/** What the webhook gives such a pod; `undefined` for every other. */
export function trialAgent(
  { metadata }: Pod,
  { namespace, managerNamespace }: {
    namespace: string;
    managerNamespace: string;
  },
): Agent | undefined {
  const isTrial = metadata.labels?.[trialLabel] !== undefined &&
    namespace === managerNamespace;
  if (!isTrial) return undefined;
  const workload = { apiVersion: "v1", kind: "Pod", name, uid: name };
  const manager = managerNamespace;
  const spec = { manager, workload, ports: [], replaced: [], users: {} };
  return { metadata: { namespace, name }, spec };
}

/** Why the webhook is not reached, as far as is known; `undefined` when it is, or when that cannot be tried. */
export async function tryWebhook(
  api: Pick<ApiClient, "create">,
  { namespace, image }: { namespace: string; image: string },
): Promise<string | undefined> {
  try {
    const pod = await api.create(resources.pods, trialPod(namespace, image), {
      dryRun: true,
    });
    const { containers = [], initContainers = [] } = pod.spec ?? {};
    const isReached = [...containers, ...initContainers].some((one) =>
      one.name === agentContainerName
    );
    if (isReached) return undefined;
    return "the API server does not reach the manager's webhook " +
      `(Service "traffic-manager-webhook" in namespace "${namespace}", ` +
      "port 443 to 7414): a firewall may be between them";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // A policy of the namespace says nothing of the webhook.
    log.warn("the webhook is not tried", { error });
    return undefined;
  }
}

function trialPod(namespace: string, image: string): Pod {
  const restricted = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    runAsNonRoot: true,
    runAsUser: 65_532,
    seccompProfile: { type: "RuntimeDefault" },
  };
  return {
    metadata: { namespace, name, labels: { [trialLabel]: "true" } },
    spec: {
      containers: [
        {
          ...{ name: "trial", image },
          securityContext: restricted,
        } as NonNullable<Pod["spec"]>["containers"][number],
      ],
    },
  };
}
