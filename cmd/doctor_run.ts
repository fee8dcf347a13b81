import type { Context } from "./_context.ts";
import { Interrupt, interruptedExitCode } from "./_interrupt.ts";
import { logToFile } from "./_log_file.ts";
import { formatValue } from "./_output.ts";
import type { DoctorFlags } from "./doctor.ts";
import { gatherFacts } from "./doctor/gather.ts";
import { type Report, reportOf, reportText } from "./doctor/report.ts";

export default async function run(
  this: Context,
  flags: DoctorFlags,
): Promise<void> {
  await logToFile();
  const report = await look(flags);
  if (report === "interrupted") {
    this.process.exitCode = interruptedExitCode;
    return;
  }
  this.process.stdout.write(
    flags.output === "text"
      ? reportText(report)
      : await formatValue(report, flags.output),
  );
  if (!report.ok) this.process.exitCode = 1;
}

async function look(flags: DoctorFlags): Promise<Report | "interrupted"> {
  using interrupt = new Interrupt();
  try {
    return reportOf(await gatherFacts(flags, interrupt));
  } catch (error) {
    if (interrupt.signal.aborted) return "interrupted";
    throw error;
  }
}
