import type { Check } from '../core/check.ts';
import { junitText } from './junit.ts';
import { markdownText } from './markdown.ts';
import { sarifText } from './sarif.ts';

/** Many looks under one name, for the programs that show such things. */
export interface Report {
  /** Of the command: `drift`, `validate`. */
  readonly name: string;
  readonly checks: readonly Check[];
  /** File of the repository that says what is wanted; SARIF shows its findings there. */
  readonly file: string;
}

/** Forms that a report can be written in beside text, JSON and YAML. */
export const REPORT_FORMATS = ['markdown', 'junit', 'sarif'] as const;

export type ReportFormat = (typeof REPORT_FORMATS)[number];

const WRITERS: Readonly<Record<ReportFormat, (report: Report) => string>> = {
  markdown: markdownText,
  junit: junitText,
  sarif: sarifText,
};

/** A report as a text of one of these forms; what nodes said in it steers nothing there. */
export function reportText(format: ReportFormat, report: Report): string {
  return WRITERS[format](report);
}
