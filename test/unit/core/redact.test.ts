import { assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../../src/core/redact.ts';

const secrets = string({ minLength: 12, maxLength: 60, unit: 'grapheme-ascii' }).filter(
  (text) => text.trim().length >= 12,
);
const encodings: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  JSON: (text) => JSON.stringify({ text }),
  URL: (text) => `https://x/?q=${encodeURIComponent(text)}`,
  hex: (text) => Buffer.from(text).toString('hex'),
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
};

describe('D9: the redactor', () => {
  test.each(Object.entries(encodings))('D9: hides a secret written as %s', (_, encode) => {
    assert(
      property(secrets, string(), string(), (secret, before, after) => {
        const redactor = createRedactor();
        redactor.add(secret);
        const cleaned = redactor.clean(`${before}${encode(secret)}${after}`);
        expect(cleaned).toContain('[hidden]');
        expect(cleaned).not.toContain(secret);
      }),
    );
  });

  test('D9: hides a secret inside a longer text in base64, at every offset', () => {
    assert(
      property(secrets, string({ maxLength: 9 }), (secret, user) => {
        const redactor = createRedactor();
        redactor.add(secret);
        const header = Buffer.from(`${user}:${secret}`).toString('base64');
        expect(redactor.clean(header)).toContain('[hidden]');
      }),
    );
  });

  test('D9: hides a secret of several lines in each of them', () => {
    const lines = ['MIIEvQIBADANBgkqhkiG9w0B', 'AQEFAASCBKcwggSjAgEAAoIB'];
    const redactor = createRedactor();
    redactor.add(`-----BEGIN PRIVATE KEY-----\n${lines.join('\r\n')}\n-----END PRIVATE KEY-----\n`);
    for (const line of lines) expect(redactor.clean(`key: ${line}`)).toBe('key: [hidden]');
    expect(redactor.clean('-----BEGIN PRIVATE KEY-----')).toContain('BEGIN');
  });

  test('hides the values of secret-looking variables, and leaves others and short ones', () => {
    const redactor = createRedactor({
      NPM_TOKEN: 'abcdefgh1234',
      HOME: '/home/someone',
      MY_SECRET: 'x',
    });
    expect(redactor.clean('abcdefgh1234 /home/someone x')).toBe('[hidden] /home/someone x');
  });
});
