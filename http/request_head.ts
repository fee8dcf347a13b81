/** What a request says before its body, as HTTP/1.1 and HTTP/2 have it in common. */
export interface RequestHead {
  readonly version: "1.0" | "1.1" | "2";
  readonly method: string;
  /** As the client wrote it: usually a path with its query. */
  readonly target: string;
  /** In the order of the request, names as written; HTTP/2's pseudo headers are not among them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}
