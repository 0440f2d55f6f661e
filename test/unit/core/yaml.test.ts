import { Lexer } from 'yaml';
import { describe, expect, test } from 'vitest';
import { readYaml } from '../../../src/core/yaml.ts';

const LARGE = 1024 * 1024;
/** What values.yaml of Cilium 1.20.2 has. */
const CILIUM = { lines: 4595, pieces: 20_016 };

/** Sections as they are written in the values of a chart, with a comment on each key. */
function chartValues(pieces: number): string {
  const section = (at: number): string =>
    `# -- Part ${at} of it.\n# @schema\npart${at}:\n  # -- Off.\n  enabled: false\n  list:\n    - "a"\n`;
  const each = [...new Lexer().lex(section(1))].length;
  return Array.from({ length: Math.ceil(pieces / each) }, (_, at) => section(at)).join('');
}

describe('a YAML text', () => {
  test('may be more than twice as long as the values of Cilium with all their comments', () => {
    const text = chartValues(CILIUM.pieces * 2.4);
    expect(text.split('\n').length).toBeGreaterThan(CILIUM.lines * 2);
    const read = readYaml(text, LARGE);
    expect('problems' in read ? read.problems : Object.keys(read.value as object)[0]).toBe('part0');
  });

  test('F56: is refused with the line where it becomes longer than any', () => {
    const read = readYaml(chartValues(CILIUM.pieces * 3.5), LARGE);
    const problem = {
      line: expect.any(Number) as number,
      message: expect.stringMatching(/longer/),
    };
    expect(read).toEqual({ problems: [problem] });
  });
});
