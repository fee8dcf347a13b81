import { pem } from "./_api_server_fake.ts";
import type { ClusterAccess } from "./access.ts";
import { fixedCredential } from "./credential.ts";

/** Access to a server of the tests, with a token; its certificate is trusted unless `parts` say otherwise. */
export function accessTo(
  server: URL,
  parts: Partial<ClusterAccess> = {},
): ClusterAccess {
  return {
    context: "test",
    server,
    namespace: "default",
    trust: { authority: pem("ca.pem"), insecure: false },
    credential: fixedCredential({ authorization: "Bearer t0" }),
    impersonation: [],
    ...parts,
  };
}
