/** Control characters but the end of a line and the tab, and those that turn the direction of writing. */
const unprintable = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu;

/** Text that others wrote, so that a terminal shows it and obeys nothing of it. */
export function printable(text: string): string {
  return text.replace(unprintable, "\ufffd");
}
