import { join } from 'node:path';
import type { Context } from '../../src/commands/command.ts';
import type { CommonFlags } from '../../src/commands/flags.ts';
import { normalise } from '../../src/config/normalise.ts';
import { configSchema } from '../../src/config/schema.ts';
import { createRedactor } from '../../src/core/redact.ts';
import { createOutput } from '../../src/output/output.ts';

const NODES = { worker: { ssh: 'worker', role: 'agent', nodeName: 'worker-1' } };

/**
 * What a command gets for a config of one node in a folder, and the lines that it prints.
 *
 * @param more keys of the config
 */
export function testContext(
  folder: string,
  flags: Partial<CommonFlags> = {},
  more: object = {},
): { readonly context: Context; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const write = (text: string): number => lines.push(text);
  const output = createOutput({
    redactor: createRedactor({ ...process.env, TOKEN: 'hunter2-hunter2' }),
    mode: 'plain',
    format: flags.output ?? 'text',
    sinks: [],
    stdout: write,
    stderr: write,
  });
  const written = configSchema.parse({ version: 1, source: '.', nodes: NODES, ...more });
  const config = normalise(written, join(folder, 'ciliumship.yaml'));
  const { signal } = new AbortController();
  return {
    context: { config, args: [], flags: { output: 'text', ...flags }, output, signal },
    lines,
  };
}
