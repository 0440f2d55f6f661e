/** Columns of a terminal as most are, with room at the edge. */
const WIDTH = 78;

/**
 * Folds a text between words.
 *
 * @param first what the first line begins with
 * @param indent what every other line begins with
 * @param width in columns
 */
export function wrap(text: string, first = '', indent = first, width = WIDTH): string {
  const lines = [first];
  let isFresh = true;
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (!isFresh && last.length + 1 + word.length > width) lines.push(`${indent}${word}`);
    else lines[lines.length - 1] = isFresh ? `${last}${word}` : `${last} ${word}`;
    isFresh = false;
  }
  return lines.join('\n');
}

/** A line that is folded for the terminal, deeper where it goes on; its own indentation stays. */
export function fold(
  line: string,
  indent: string,
  width = process.stderr.columns || WIDTH,
): string {
  const own = `${indent}${/^ */.exec(line)?.[0] ?? ''}`;
  return wrap(line.trimStart(), own, `${own}    `, width);
}

/** Every line of a text, folded for the terminal. */
export function foldLines(text: string): string {
  return text
    .split('\n')
    .map((line) => fold(line, ''))
    .join('\n');
}
