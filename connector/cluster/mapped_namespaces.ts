import { isName } from "../../manager/api.ts";
import type { ConnectRequest } from "../api.ts";
import { settingWrong } from "../failure.ts";

type Asked = Pick<ConnectRequest, "mappedNamespaces">;

/** As many names of the greatest length as one question to the manager holds. */
const maxNamespaces = 250;
/** Stands for all namespaces. */
const all = "all";

/**
 * The namespaces that a request wants alone, or `undefined` for all.
 *
 * @throws {ConnectError} `setting-wrong`.
 */
export function parseMappedNamespaces(
  { mappedNamespaces = [] }: Asked,
): readonly string[] | undefined {
  const wrong = mappedNamespaces.find((text) => !isName(text));
  if (wrong !== undefined) {
    throw settingWrong(
      `Cannot map "${wrong}": it is no name of a namespace`,
    );
  }
  if (mappedNamespaces.length > maxNamespaces) {
    throw settingWrong(
      `Cannot map ${mappedNamespaces.length} namespaces: ` +
        `it is more than ${maxNamespaces}`,
    );
  }
  const isAll = mappedNamespaces.length === 0 || mappedNamespaces.includes(all);
  return isAll ? undefined : [...new Set(mappedNamespaces)].sort();
}

/** Whether a request wants the namespaces of the connection; one that does not say takes what there is. */
export function wantsSameNamespaces(request: Asked, connected: Asked): boolean {
  return !request.mappedNamespaces?.length ||
    String(parseMappedNamespaces(request)) ===
      String(parseMappedNamespaces(connected));
}
