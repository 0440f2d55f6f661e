import { describe, expect, test } from 'vitest';
import { escapeControls } from '../../../src/core/text.ts';

describe('what a node says', () => {
  test.each([
    ['::set-output name=a::b', String.raw`\u003a:set-output name=a::b`],
    ['worker:\n  ::add-mask::secret', 'worker:\n  \\u003a:add-mask::secret'],
    ['x ##[error]y', String.raw`x \u0023#[error]y`],
    ['##vso[task.setvariable]', String.raw`\u0023#vso[task.setvariable]`],
    ['\u001b[31m', String.raw`\u001b[31m`],
  ])('D25: does not steer a CI server: %j', (said, shown) => {
    expect(escapeControls(said)).toBe(shown);
  });

  test.each(['::1', '::ffff:10.0.0.1 refused', '## a heading', 'a::b::c'])(
    'is shown as it is when it is harmless: %s',
    (said) => {
      expect(escapeControls(said)).toBe(said);
    },
  );
});
