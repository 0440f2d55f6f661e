import { extname } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { jsonText } from '../../output/json.ts';
import type { Output } from '../../output/output.ts';
import { reportText, type Report, type ReportFormat } from '../../output/report.ts';
import { replaceFile } from '../../system/replace-file.ts';

const FORMATS: Readonly<Record<string, ReportFormat | 'json'>> = {
  '.md': 'markdown',
  '.xml': 'junit',
  '.sarif': 'sarif',
  '.json': 'json',
};

/** Files of `--report a.md,b.xml`. @throws InvalidArgumentError for an ending that says no form */
export function parseReports(text: string): readonly string[] {
  const files = text.split(',').map((file) => file.trim());
  if (files.every((file) => FORMATS[extname(file)] !== undefined)) return files;
  throw new InvalidArgumentError(`Write files that end with ${Object.keys(FORMATS).join(', ')}.`);
}

/**
 * Writes one report in several forms, each as its file name ends.
 *
 * @throws ShipError `config` when a file cannot be written
 */
export async function writeReports(
  files: readonly string[],
  report: Report,
  data: unknown,
  output: Output,
): Promise<void> {
  const clean = { report: output.cleanAll(report), data: output.cleanAll(data) };
  for (const file of files) {
    const format = FORMATS[extname(file)] ?? 'json';
    const text = format === 'json' ? jsonText(clean.data) : reportText(format, clean.report);
    await replaceFile(file, `${output.clean(text)}\n`);
  }
}
