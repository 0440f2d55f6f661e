import { expect, test } from 'vitest';
import { createRedactor } from '../../../src/core/redact.ts';
import { createOutput } from '../../../src/output/output.ts';

/** What a run prints that runs a command on a node. */
function printed(commands: boolean): string {
  const lines: string[] = [];
  const write = (text: string): number => lines.push(text);
  const redactor = createRedactor({ TOKEN: 'hunter2-hunter2' });
  const output = createOutput({
    ...{ mode: 'plain', format: 'text', sinks: [], redactor, commands },
    ...{ stdout: write, stderr: write },
  });
  output.emit({
    event: 'command',
    node: 'worker',
    command: 'sudo -n -- ls \u001b[2J hunter2-hunter2',
  });
  return lines.join('');
}

test('a command of a node is shown to whoever asks, without secrets and control characters', () => {
  expect(printed(true)).toBe(String.raw`worker$ sudo -n -- ls \u001b[2J [hidden]` + '\n');
  expect(printed(false)).toBe('');
});
