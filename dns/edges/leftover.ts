/** What a killed process may have left in the host's resolver. Apart from the edges, for what every command loads. */
import {
  holdsResolvConf,
  type ResolvConfPaths,
  restoreResolvConf,
} from "./resolv_conf_edge.ts";
import {
  holdsResolverFiles,
  removeResolverFiles,
} from "./resolver_directory_edge.ts";

/** Where our settings may be: of Linux the file and what belongs to it, of macOS the directory. */
export type ResolverPlace = ResolvConfPaths | { readonly directory: string };

/** Brings back what the host had. Needs no knowledge of who changed it. */
export async function restoreHostResolver(place: ResolverPlace): Promise<void> {
  if ("directory" in place) await removeResolverFiles(place.directory);
  else await restoreResolvConf(place);
}

/** Whether the host's resolver is told of ours. Needs no privilege. */
export async function holdsHostResolver(
  place: ResolverPlace,
): Promise<boolean> {
  return "directory" in place
    ? await holdsResolverFiles(place.directory)
    : await holdsResolvConf(place.file);
}
