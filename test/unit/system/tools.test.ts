import { describe, expect, test } from 'vitest';
import { readTools } from '../../../src/system/tools.ts';

const never = new AbortController().signal;

/** A program that prints its version somewhere and ends. */
function program(script: string) {
  return { name: 'tool', argv: [process.execPath, '-e', script] as const, lacks: 'everything' };
}

async function versionOf(script: string): Promise<string | undefined> {
  const [tool] = await readTools(never, [program(script)]);
  return tool?.version;
}

describe('the version of a program', () => {
  test('is found in what it prints', async () => {
    expect(await versionOf(`console.log('*** Zstandard CLI (64-bit) v1.5.4, by Y ***')`)).toBe(
      '1.5.4',
    );
  });

  test('is found on standard error too, as ssh prints it', async () => {
    expect(await versionOf(`console.error('OpenSSH_9.2p1 Debian-2')`)).toBe('9.2p1');
  });

  test('is not taken from a program that fails', async () => {
    expect(await versionOf(`console.log('needs 1.2.3'); process.exit(1)`)).toBeUndefined();
  });

  test('is missing with the program, and what lacks without it is said', async () => {
    const missing = { name: 'gone', argv: ['/nonexistent/gone'] as const, lacks: 'patches' };
    const found = await readTools(never, [missing, program(`console.log('v2.0.0')`)]);
    expect(found).toEqual([
      { name: 'gone', version: undefined, lacks: 'patches' },
      { name: 'tool', version: '2.0.0', lacks: 'everything' },
    ]);
  });
});
