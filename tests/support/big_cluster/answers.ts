/** What the fake API server answers: all that laptops and the manager ask, of a cluster of any size. */
import {
  type FakeAnswer,
  type FakeHandler,
  type FakeRequest,
  status,
} from "../../../k8s/_api_server_fake.ts";
import {
  clientPort,
  clusterWideName,
  managerName,
  managerPod,
} from "../../../manager/api.ts";
import { Collection } from "./collection.ts";
import {
  namespaceObject,
  nodeObject,
  podObject,
  serviceObject,
} from "./objects.ts";
import { type Forwarded, forwardTo, protocol } from "./port_forward.ts";
import { places, type Shape } from "./shape.ts";

/** What a user agent asked, and how much it was answered. */
export interface Asked {
  requests: number;
  bytes: number;
}

/** Counted since the start or the last {@link BigApi.takeCounts}. */
export interface Counts {
  /** By user agent. */
  readonly asked: Record<string, Asked>;
  readonly forwarded: Forwarded;
}

/** The only one whom this API server knows. */
export const token = "a-token-of-the-tests";

const core = "/api/v1";
const webhook = clusterWideName(places.managerNamespace);
const home = `${core}/namespaces/${places.managerNamespace}`;

export class BigApi {
  readonly collections: Readonly<Record<string, Collection>>;
  readonly #forwarded: Forwarded = { connections: 0, up: 0, down: 0 };
  readonly #asked = new Map<string, Asked>();

  constructor(shape: Shape) {
    this.collections = {
      namespaces: new Collection(shape.namespaces, namespaceObject),
      services: new Collection(
        shape.services,
        (n, version) => serviceObject(n, { version, shape }),
      ),
      pods: new Collection(
        shape.pods,
        (n, version) => podObject(n, { version, shape }),
      ),
      nodes: new Collection(
        shape.nodes,
        (n, version) => nodeObject(n, { version, shape }),
      ),
    };
  }

  takeCounts(): Counts {
    const counts = {
      asked: Object.fromEntries(this.#asked),
      forwarded: { ...this.#forwarded },
    };
    this.#asked.clear();
    Object.assign(this.#forwarded, { connections: 0, up: 0, down: 0 });
    return counts;
  }

  readonly handler: FakeHandler = (request) => {
    const answer = request.headers.get("authorization") === `Bearer ${token}`
      ? this.#answer(request)
      : status(401, "Unauthorized", "Unauthorized");
    const agent = request.headers.get("user-agent") ?? "";
    const asked = this.#asked.get(agent) ?? { requests: 0, bytes: 0 };
    this.#asked.set(agent, asked);
    asked.requests++;
    if (answer.body !== undefined) {
      const { body } = answer;
      const text = typeof body === "string" ? body : JSON.stringify(body);
      asked.bytes += text.length;
    }
    return answer.pieces === undefined
      ? answer
      : { ...answer, pieces: counted(answer.pieces, asked) };
  };

  #answer(request: FakeRequest): FakeAnswer {
    const { method, path, query } = request;
    if (method === "POST") return this.#answerPost(request);
    const name = path.startsWith(`${core}/`) ? path.slice(core.length + 1) : "";
    const collection = this.collections[name];
    if (collection !== undefined) return answerList(collection, query);
    switch (path) {
      case "/version":
        return { body: { major: "1", minor: "34", gitVersion: "v1.34.0" } };
      case `${home}/pods/${managerPod(0)}`:
        return { body: managerPodObject };
      case `${home}/pods/${managerPod(0)}/portforward`:
        return this.#forward(request);
      case "/apis/networking.k8s.io/v1/servicecidrs":
        return answerList(serviceCidrs, query);
      case "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices":
        return answerList(endpointSlices, query);
      case `${home}/events`:
      case `/apis/coordination.k8s.io/v1/namespaces/${places.managerNamespace}/leases`:
      case "/apis/tp.dev/v1/intercepts":
      case "/apis/tp.dev/v1/agents":
        return answerList(none, query);
      case `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${webhook}`:
        return { body: { metadata: { name: webhook }, webhooks: [] } };
      case `/apis/apps/v1/namespaces/${places.managerNamespace}/statefulsets/${managerName}`:
        return { body: { metadata: { name: managerName, generation: 1 } } };
    }
    return status(404, "NotFound", `${method} ${path}: not found`);
  }

  #answerPost({ path, query, body }: FakeRequest): FakeAnswer {
    if (path.endsWith("/selfsubjectaccessreviews")) {
      return {
        status: 201,
        body: { ...JSON.parse(body), status: { allowed: true } },
      };
    }
    if (path === `${home}/secrets`) {
      return { status: 201, body: JSON.parse(body) };
    }
    if (path.endsWith("/services") && query.get("dryRun") === "All") {
      return status(
        422,
        "Invalid",
        "failed to allocate IP 1.1.1.1: the provided IP (1.1.1.1) is not in " +
          `the valid range. The range of valid IPs is ${places.services}`,
      );
    }
    return status(404, "NotFound", `POST ${path}: not found`);
  }

  #forward({ headers }: FakeRequest): FakeAnswer {
    if (headers.get("sec-websocket-protocol") !== protocol) {
      return status(400, "BadRequest", `only ${protocol} is spoken here`);
    }
    const key = headers.get("sec-websocket-key") ?? "";
    return forwardTo(clientPort, { key, counted: this.#forwarded });
  }
}

function answerList(
  collection: Collection,
  query: URLSearchParams,
): FakeAnswer {
  if (query.get("watch") !== "true") {
    const limit = Number(query.get("limit") ?? 0);
    return { body: collection.page(limit, query.get("continue") ?? "") };
  }
  const version = Number(query.get("resourceVersion"));
  const seconds = Number(query.get("timeoutSeconds") ?? 300);
  return { pieces: collection.watch(version, seconds) };
}

async function* counted(
  pieces: AsyncIterable<string>,
  asked: Asked,
): AsyncGenerator<string> {
  for await (const piece of pieces) {
    asked.bytes += piece.length;
    yield piece;
  }
}

const serviceCidrs = new Collection(1, () => ({
  metadata: { name: "kubernetes", uid: "s" },
  spec: { cidrs: [places.services] },
}));

const endpointSlices = new Collection(1, () => ({
  metadata: { name: "kubernetes", namespace: "default", uid: "e" },
  addressType: "IPv4",
  endpoints: [{ addresses: [places.apiServer.host] }],
  ports: [{ name: "https", port: places.apiServer.port, protocol: "TCP" }],
}));

const none = new Collection(0, () => ({}));

const managerPodObject = {
  metadata: {
    name: managerPod(0),
    namespace: places.managerNamespace,
    uid: "m",
  },
  spec: { containers: [{ name: managerName }] },
  status: {
    phase: "Running",
    conditions: [{ type: "Ready", status: "True" }],
    podIP: places.manager,
    podIPs: [{ ip: places.manager }],
  },
};
