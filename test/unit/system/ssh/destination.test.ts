import { assert, constantFrom, oneof, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShipError } from '../../../../src/core/errors.ts';
import {
  destinationArguments,
  expandTokens,
  parseSettings,
  resolveHost,
} from '../../../../src/system/ssh/resolve.ts';
import { seedOf } from '../../../support/random.ts';

const seed = seedOf('D5');

describe('a destination', () => {
  test.each([
    ['master', ['--', 'master']],
    ['admin@worker.example', ['-l', 'admin', '--', 'worker.example']],
    ['admin@192.0.2.1:2222', ['-l', 'admin', '-p', '2222', '--', '192.0.2.1']],
    ['[2001:db8::1]:22', ['-p', '22', '--', '2001:db8::1']],
  ])('%s is understood', (destination, wanted) => {
    expect(destinationArguments(destination)).toEqual(wanted);
  });

  test.each([
    '-oProxyCommand=touch PWNED',
    'a -oProxyCommand=x',
    'root@-oProxyCommand=x',
    '-l@host',
    'host;id',
    'host$(id)',
    'host`id`',
    'host|id',
    'host\nid',
    'host:22:33',
    'host:999999',
    'user name@host',
    '@host',
    '[.]:22',
    '',
    'ho\u202est',
    'http://host',
  ])('D5: %j is refused', (destination) => {
    expect(() => destinationArguments(destination)).toThrow('is not an ssh destination');
  });

  test('D5: of 10 000 random ones none becomes an option or reaches a shell', () => {
    const special = Array.from('abz09.-_@:[]$`;|&<>\\\'"\n\t %*\0é');
    const pieces = constantFrom(...special, '-o', 'host');
    const anything = oneof(string({ unit: 'binary' }), string({ unit: pieces }));
    const check = (destination: string): void => {
      const words = wordsOf(destination);
      if (words === undefined) return;
      expect(words.at(-2)).toBe('--');
      expect(words.at(-1)).toMatch(/^[A-Za-z0-9:][A-Za-z0-9_.:-]*$/);
      expect(words.join('')).toMatch(/^[A-Za-z0-9_.:-]+$/);
    };
    assert(property(anything, check), { seed, numRuns: 10_000 });
  });

  test('D5: one that is refused starts no program', async () => {
    const started: unknown[] = [];
    const resolved = resolveHost('-oProxyCommand=x', undefined, async (argv) => {
      started.push(argv);
      return { code: 0, stdout: '', stderr: '' };
    });
    await expect(resolved).rejects.toThrow(ShipError);
    expect(started).toEqual([]);
  });
});

/** @returns undefined when the destination is refused as it should be; any other error counts */
function wordsOf(destination: string): readonly string[] | undefined {
  try {
    return destinationArguments(destination);
  } catch (error) {
    if (error instanceof ShipError && error.kind === 'config') return undefined;
    throw error;
  }
}

describe('what ssh -G prints', () => {
  test('D4: is read with its lists, and tokens of key files are filled in', () => {
    const text = [
      'user admin',
      'hostname 192.0.2.7',
      'port 2222',
      'identityfile /keys/%r/%n-%h-%p-%k-%%-%z',
      'identityfile /keys/other',
      'userknownhostsfile /a /b',
      'globalknownhostsfile /c',
      'proxyjump none',
      'identitiesonly yes',
      'identityagent none',
      'connecttimeout none',
      'revokedhostkeys none',
    ].join('\n');
    expect(parseSettings(text, 'worker')).toEqual({
      alias: 'worker',
      hostname: '192.0.2.7',
      port: 2222,
      user: 'admin',
      hostKeyAlias: undefined,
      identityFiles: ['/keys/admin/worker-192.0.2.7-2222-worker-%-%z', '/keys/other'],
      agent: undefined,
      identitiesOnly: true,
      proxyCommand: undefined,
      proxyJump: undefined,
      knownHostsFiles: ['/a', '/b', '/c'],
      revokedHostKeys: undefined,
      connectTimeout: undefined,
    });
  });

  test('D4: a token that is written twice is none', () => {
    const named = { alias: 'a', hostname: 'h', port: 22, user: 'u', hostKeyAlias: undefined };
    expect(expandTokens('%%h %h %%%h', named)).toBe('%h h %h');
  });

  test('D4: a configuration that ssh refuses, or never finishes to read, is exit class 2', async () => {
    const answer = (code: number) => async () => ({ code, stdout: '', stderr: 'line 3: bad' });
    await expect(resolveHost('a', undefined, answer(255))).rejects.toThrow(
      'ssh refuses its configuration for a',
    );
    await expect(resolveHost('a', undefined, answer(-1))).rejects.toThrow('does not finish');
  });
});
