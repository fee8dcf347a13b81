/** How a command prints its result: for people, or for programs. */
export const outputFormats = ["text", "json", "yaml"] as const;
export type OutputFormat = typeof outputFormats[number];

/** The flag `--output`, the same for every command that has it. */
export const outputFlag = {
  kind: "enum",
  values: outputFormats,
  default: "text",
  brief: "How to print the result",
} as const;

/** `value` in one of the formats for programs. */
export async function formatValue(
  value: unknown,
  format: Exclude<OutputFormat, "text">,
): Promise<string> {
  if (format === "json") return JSON.stringify(value, null, 2) + "\n";
  const { stringify } = await import("../yaml.ts");
  // A round trip through JSON: YAML shall show what JSON shows.
  return stringify(JSON.parse(JSON.stringify(value)));
}
