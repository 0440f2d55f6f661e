import { expect, test } from 'vitest';
import { fittingValues } from '../../../src/commands/shared/values-checks.ts';
import {
  sayMilder,
  type UserValues,
  type ValuesFlags,
} from '../../../src/commands/shared/values.ts';
import type { Context } from '../../../src/commands/command.ts';
import { readUserValues } from '../../../src/deploy/user-values.ts';
import { testContext } from '../../support/context.ts';
import { testFolder } from '../../support/folder.ts';

const TEXT =
  'ipam:\n  mode: kubernetes\nmtu: 1400\nloadBalancer: { acceleration: generic }\nMTU: big\n';
const USER: UserValues = {
  file: 'cilium-values.yaml',
  lineOf: readUserValues(TEXT, 'v.yaml').lineOf,
  values: {
    ipam: { mode: 'kubernetes' },
    mtu: 1400,
    loadBalancer: { acceleration: 'generic' },
    MTU: 'big',
  },
  chart: {
    defaults: { MTU: 0, ipam: { mode: '' }, loadBalancer: { acceleration: 'disabled' } },
    read: new Set(),
    schema: { properties: { MTU: { type: 'integer' } } },
  },
};
const AROUND = {
  nodes: [],
  facts: new Map(),
  serviceCidr: '10.43.0.0/16',
  chartVersion: undefined,
  operatorVersion: undefined,
  apiReached: new Map(),
};

function contextWith(allow?: string): ReturnType<typeof testContext> & {
  readonly context: Context<ValuesFlags>;
} {
  const { context, lines } = testContext(testFolder());
  const flags = { ...context.flags, ...(allow === undefined ? {} : { allow }) };
  return { context: { ...context, flags }, lines };
}

test('E4, E16, F37: values that are wrong are refused all at once, each with its line', () => {
  const { context } = contextWith();
  expect(() => fittingValues(context, USER, AROUND)).toThrow(
    expect.objectContaining({
      kind: 'config',
      details: [
        expect.stringMatching(/^line 3: mtu: .*MTU/),
        expect.stringMatching(/^line 4: loadBalancer.acceleration: "generic" .*best-effort/),
        expect.stringMatching(/^line 5: MTU: "big" is refused by the schema/),
      ],
      hint: expect.stringContaining('--allow KEY') as string,
    }),
  );
});

test('--allow goes on in spite of what it names, which is said, and of nothing else', () => {
  const some = contextWith('mtu,MTU');
  expect(() => fittingValues(some.context, USER, AROUND)).toThrow(
    expect.objectContaining({ details: [expect.stringContaining('loadBalancer.acceleration')] }),
  );
  const all = contextWith('mtu,MTU,loadBalancer.acceleration');
  const problems = fittingValues(all.context, USER, AROUND);
  expect(problems).toHaveLength(3);
  sayMilder(all.context, USER, problems);
  expect(all.lines.join('')).toMatch(/warning: values: line 3: mtu: /);
});
