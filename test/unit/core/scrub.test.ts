import { describe, expect, test } from 'vitest';
import { namesSecret, scrub } from '../../../src/core/scrub.ts';

const CANARY = 'canary-5up3r.Secret/x';
const PEM =
  '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRS\n-----END EC PRIVATE KEY-----';
const TOKEN = `K10${'ab12'.repeat(16)}::server:0123456789abcdef`;
const JWT = `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl`;

describe('D9: the scrubber takes out', () => {
  test.each([
    ['a value in YAML', `password: ${CANARY}`, 'password: [hidden]'],
    ['a quoted value with spaces', `apiKey: "${CANARY} and more"`, 'apiKey: [hidden]'],
    ['a value in JSON', `{"db_password":"${CANARY}","a":1}`, '{"db_password":[hidden],"a":1}'],
    ['a value in JSON in JSON', JSON.stringify({ x: `{"token":"${CANARY}"}` }), undefined],
    ['a variable', `NPM_TOKEN=${CANARY} make`, 'NPM_TOKEN=[hidden] make'],
    ['an option', `helm --password ${CANARY} x`, 'helm --password [hidden] x'],
    ['a key of a kubeconfig', `client-key-data: ${CANARY}`, 'client-key-data: [hidden]'],
    ['a variable of a pod', `{"name":"DB_PASSWORD","value":"${CANARY}"}`, undefined],
    ['a variable of a pod in YAML', `- name: API_KEY\n  value: ${CANARY}`, undefined],
    ['a private key', `before\n${PEM}\nafter`, 'before\n[hidden]\nafter'],
    ['a private key in a log of JSON', JSON.stringify({ x: PEM }), '{"x":"[hidden]"}'],
    ['a private key that is cut off', PEM.slice(0, 50), '[hidden]'],
    ['a header', `Authorization: Bearer ${CANARY}`, undefined],
    ['a JSON web token', `got ${JWT} back`, 'got [hidden] back'],
    ['a token that joins a node to K3s', `wrote ${TOKEN}`, 'wrote [hidden]'],
    [
      'a password in an address',
      `https://me:${CANARY.slice(0, 12)}@x/y`,
      'https://me:[hidden]@x/y',
    ],
  ])('D9: %s', (_, text, wanted) => {
    const scrubbed = scrub(text);
    expect(scrubbed).toContain('[hidden]');
    for (const part of [CANARY, CANARY.slice(0, 12), 'MHcCAQ', JWT, TOKEN]) {
      expect(scrubbed).not.toContain(part);
    }
    expect(scrubbed).toBe(wanted ?? scrubbed);
  });
});

test('what helps to understand a log stays', () => {
  const lines = [
    'automountServiceAccountToken: true',
    '{"secret":{"name":"x"}}',
    'level=info msg="attaching XDP program to eth1" mtu=1400',
    'quay.io/cilium/cilium:dev-8f14e45fceea sha256:8f14e45fceea',
    '[2001:db8::1]:6443 https://127.0.0.1:6443/api?a=b@c',
  ];
  for (const line of lines) expect(scrub(line)).toBe(line);
});

test('a name says whether its value is secret', () => {
  expect(['clientSecret', 'GITHUB_TOKEN', 'tls.private_key'].every(namesSecret)).toBe(true);
  expect(['name', 'keyboard', 'mtu'].some(namesSecret)).toBe(false);
});

test.each([
  ['letters', 'a'.repeat(2_000_000)],
  ['names', 'token'.repeat(400_000)],
  ['quotes', `password: "${'\\'.repeat(1_000_000)}`],
  ['keys that begin', '-----BEGIN PRIVATE KEY-----\n'.repeat(50_000)],
  ['addresses', 'https://'.repeat(200_000)],
  ['assignments', 'password='.repeat(200_000)],
  ['spaces', `name: password ${' '.repeat(1_000_000)}`],
  ['tokens', 'eyJaaaaaaaa'.repeat(200_000)],
])('hostile text of many %s takes no time', (_, text) => {
  const begun = performance.now();
  scrub(text);
  expect(performance.now() - begun).toBeLessThan(5000);
});
