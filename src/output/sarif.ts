import type { Check } from '../core/check.ts';
import { digestOf } from '../core/digest.ts';
import { escapeControls } from '../core/text.ts';
import { VERSION } from '../core/version.ts';
import type { Report } from './report.ts';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

/**
 * A report as SARIF 2.1.0, which code scanning keeps and compares from run to run: each difference
 * is a result with a fingerprint of what and where, so that one that lasts stays one finding.
 */
export function sarifText(report: Report): string {
  const { name, checks } = report;
  const open = checks.filter(({ state }) => state !== 'ok');
  const rules = [...new Set(open.map((check) => ruleId(name, check)))].toSorted();
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'ciliumship', version: VERSION, rules: rules.map(rule) } },
        automationDetails: { id: `ciliumship/${name}/` },
        invocations: [{ executionSuccessful: open.every(({ state }) => state !== 'unknown') }],
        results: open.map((check) => result(report, check)),
      },
    ],
  };
  return JSON.stringify(log, undefined, 2);
}

function ruleId(name: string, { check }: Check): string {
  return escapeControls(`${name}/${check}`);
}

function rule(id: string) {
  return { id, shortDescription: { text: `${id} is not as wanted` } };
}

function result({ name, file }: Report, check: Check) {
  const { node, state, wanted, found, remedy } = check;
  const next = remedy === undefined ? '' : `; mended by: ${remedy}`;
  const what = `${check.check} at ${node}: wanted ${wanted}, found ${found}${next}`;
  return {
    ruleId: ruleId(name, check),
    level: state === 'failed' ? 'error' : 'warning',
    message: { text: escapeControls(what) },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: file }, region: { startLine: 1 } },
        logicalLocations: [{ name: escapeControls(node) }],
      },
    ],
    partialFingerprints: { 'ciliumship/v1': digestOf(JSON.stringify([name, check.check, node])) },
  };
}
