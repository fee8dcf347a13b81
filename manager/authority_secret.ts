import {
  type ApiClient,
  apiVersionOf,
  isApiError,
  type KubernetesObject,
  resources,
  type Secret,
} from "../k8s/mod.ts";
import { authoritySecretName, clusterWideName, managerName } from "./api.ts";
import type { Authorities, AuthorityStore } from "./authority.ts";
import { managerLabels } from "./manifest.ts";
import { webhookName } from "./manifest_injection.ts";

const { secrets, mutatingWebhookConfigurations } = resources;
/** Who is told to have set the webhook's authority: another one than who installs. */
const fieldManager = `${managerName}-ca`;

/** The authorities as a Secret of the manager's namespace. */
export class AuthoritySecret implements AuthorityStore {
  readonly #api: ApiClient;
  readonly #ref: { namespace: string; name: string };
  /** As it was read; `undefined` when there was none. */
  #found: Secret | undefined;

  constructor(api: ApiClient, { namespace }: { namespace: string }) {
    this.#api = api;
    this.#ref = { namespace, name: authoritySecretName };
  }

  /** A Secret that lacks something counts as none. */
  async read(): Promise<Authorities | undefined> {
    this.#found = await this.#api.find(secrets, this.#ref);
    const part = (name: string) => {
      const text = this.#found?.data?.[name];
      return text ? atob(text) : undefined;
    };
    const pair = (of: "present" | "next") => {
      const [cert, key] = [part(`${of}.crt`), part(`${of}.key`)];
      return cert && key ? { cert, key } : undefined;
    };
    const [present, next] = [pair("present"), pair("next")];
    const line = part("line");
    return present && next
      ? { present, next, ...line === undefined ? {} : { line } }
      : undefined;
  }

  async write({ line, present, next }: Authorities): Promise<boolean> {
    const data = {
      "present.crt": btoa(present.cert),
      "present.key": btoa(present.key),
      "next.crt": btoa(next.cert),
      "next.key": btoa(next.key),
      ...line === undefined ? {} : { line: btoa(line) },
    };
    try {
      if (this.#found !== undefined) {
        await this.#api.replace(secrets, { ...this.#found, data });
      } else {
        const metadata = { ...this.#ref, labels: managerLabels };
        await this.#api.create(secrets, { metadata, type: "Opaque", data });
      }
      return true;
    } catch (error) {
      const isLost = isApiError(error, "Conflict") ||
        isApiError(error, "AlreadyExists") || isApiError(error, "NotFound");
      if (isLost) return false;
      throw error;
    }
  }
}

interface WebhookConfiguration extends KubernetesObject {
  webhooks?: { name: string; clientConfig: { caBundle?: string } }[];
}

/** Makes the API server take what the authorities in `bundle` (PEM) have signed, if it does not. */
export async function trustAuthorities(
  api: ApiClient,
  { namespace, bundle }: { namespace: string; bundle: string },
): Promise<void> {
  const name = clusterWideName(namespace);
  const caBundle = btoa(bundle);
  const { webhooks = [] }: WebhookConfiguration = await api.get(
    mutatingWebhookConfigurations,
    { name },
  );
  const own = webhooks.find((one) => one.name === webhookName);
  if (own === undefined || own.clientConfig.caBundle === caBundle) return;
  // This one field; all others are whose they are.
  const wanted: WebhookConfiguration = {
    apiVersion: apiVersionOf(mutatingWebhookConfigurations),
    kind: mutatingWebhookConfigurations.kind,
    metadata: { name },
    webhooks: [{ name: webhookName, clientConfig: { caBundle } }],
  };
  await api.apply(wanted, { fieldManager, force: true });
}
