/** The settings that count, for people and for programs. Pure. */
import { eachSetting, type Setting, type Settings } from "./settings.ts";

/** As a configuration file that says all of it; a comment tells who says so. */
export function viewText(settings: Settings): string {
  return [...groups(settings)].flatMap(([group, members]) => [
    `${group}:`,
    ...members.map(({ name, setting: { value, place } }) =>
      `  ${name}: ${JSON.stringify(value)} # ${place}`
    ),
  ]).join("\n") + "\n";
}

/** Each setting with who says so. */
export function viewValue(
  settings: Settings,
): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    [...groups(settings)].map(([group, members]) => [
      group,
      Object.fromEntries(
        members.map(({ name, setting: { value, kind, place } }) => [
          ...[name, { value, origin: kind, place }] as const,
        ]),
      ),
    ]),
  );
}

interface Member {
  name: string;
  setting: Setting;
}

function groups(settings: Settings): Map<string, Member[]> {
  const members = eachSetting(settings).map(([key, setting]) => {
    const [group, name] = key.split(".") as [string, string];
    return { group, name, setting };
  });
  return Map.groupBy(members, ({ group }) => group);
}
