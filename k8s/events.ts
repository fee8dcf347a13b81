import type { ApiClient } from "./api_client.ts";
import type { Options, Ref } from "./api_options.ts";
import type { Event } from "./object.ts";
import { resources } from "./resource.ts";

/** The events about one object, oldest first. */
export async function eventsAbout(
  api: Pick<ApiClient, "list">,
  { namespace, name, kind = "Pod" }: Ref & { kind?: string },
  options: Options = {},
): Promise<Event[]> {
  const events = await api.list(resources.events, {
    ...options,
    ...namespace ? { namespace } : {},
    fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name}`,
  });
  return events.toSorted((a, b) => timeOf(a) < timeOf(b) ? -1 : 1);
}

function timeOf({ lastTimestamp, eventTime, metadata }: Event): string {
  return lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "";
}
