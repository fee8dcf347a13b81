/** Results of tests. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Counts the cases of a JUnit report as `deno test --junit-path` writes it: tests and their steps. */
export function junitCounts(xml: string): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const cases = /<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  for (const [, , body = ""] of xml.matchAll(cases)) {
    if (/<(failure|error)\b/.test(body)) counts.failed++;
    else if (/<skipped\b/.test(body)) counts.skipped++;
    else counts.passed++;
  }
  return counts;
}
