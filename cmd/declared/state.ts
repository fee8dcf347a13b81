/** What a file declares, as `docs/workstation-state.schema.json` describes it. */
import type { InterceptMode } from "../../connector/api.ts";
import type { EnvSyntax } from "../_env_syntax.ts";

export interface WorkstationState {
  readonly apiVersion: "tp.dev/v1" | "telepresence.io/v1alpha1";
  readonly kind: "WorkstationState";
  readonly connection?: DeclaredConnection;
  readonly attachments?: readonly Attachment[];
}

export interface DeclaredConnection {
  readonly name?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly managerNamespace?: string;
  readonly image?: string;
}

export interface Attachment {
  readonly type: InterceptMode;
  readonly name: string;
  readonly namespace?: string;
  readonly workload?: string;
  readonly service?: string;
  readonly container?: string;
  readonly ports?: readonly (string | number)[];
  readonly address?: string;
  readonly httpHeaders?: Readonly<Record<string, string>> | readonly string[];
  readonly httpPathEqualities?: readonly string[];
  readonly httpPathPrefixes?: readonly string[];
  readonly httpPathRegexps?: readonly string[];
  readonly httpMethods?: readonly string[];
  readonly httpAny?: boolean;
  readonly toPod?: readonly (string | number)[];
  readonly mount?: boolean | string;
  readonly env?: {
    readonly file?: string;
    readonly syntax?: EnvSyntax;
    readonly json?: string;
  };
  readonly localOnly?: boolean;
  readonly command?: readonly string[];
}
