import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createRedactor } from '../../src/core/redact.ts';
import type { Run, Step } from '../../src/core/step.ts';
import { createOutput } from '../../src/output/output.ts';
import { runStage } from '../../src/output/stage.ts';

/**
 * Draws a stage of two steps as every command does, for tests in a real terminal. What they tell
 * comes from a pipe, line by line: bytes that were sent, of a hundred million; `end` is the end.
 */
const [pipe = ''] = process.argv.slice(2);
const write = (text: string): boolean => process.stderr.write(text);
const output = createOutput({
  ...{ mode: 'tty', format: 'text', sinks: [], redactor: createRedactor() },
  ...{ stdout: write, stderr: write },
});
const runs: Run[] = [];
const { promise: ended, resolve: end } = Promise.withResolvers<string>();
const steps = ['master', 'worker'].map((id): Step<string> => ({
  id,
  title: `send 7 layers to ${id}, which has a rather long name`,
  run: (run) => {
    runs.push(run);
    return ended;
  },
  describe: () => `${id} 100 MB`,
}));

const stage = runStage('Send', steps, { output, signal: new AbortController().signal });
for await (const line of createInterface({ input: createReadStream(pipe) })) {
  if (line === 'end') break;
  for (const run of runs) run.progress({ bytes: Number(line), total: 100_000_000 });
}
end('sent');
await stage;
output.note('all is drawn');
