/** The flag of commands that ask one of several connections. */
export interface UseFlag {
  readonly use?: RegExp | undefined;
}

export const useFlag = {
  use: {
    kind: "parsed",
    parse: parseUse,
    optional: true,
    placeholder: "name",
    brief: "Which connection, where there are several: a regular expression",
  },
} as const;

/** It has to fit the whole name. */
function parseUse(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`);
  } catch {
    throw new SyntaxError(`--use: "${text}" is no regular expression`);
  }
}

/** The expression as the user has written it. */
export function writtenUse({ source }: RegExp): string {
  return source.slice("^(?:".length, -")$".length);
}
