/** The kernel's word that the host's network has changed: links, addresses, routes. */
export interface HostChanges extends AsyncDisposable {
  /** Resolves to true when something has changed since the call before; to false when this was disposed of. One at a time. */
  next(): Promise<boolean>;
}
