/** Columns of a terminal as most are, with room at the edge. */
const WIDTH = 78;

/**
 * Folds a text between words.
 *
 * @param first what the first line begins with
 * @param indent what every other line begins with
 */
export function wrap(text: string, first = '', indent = first): string {
  const lines = [first];
  let isFresh = true;
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (!isFresh && last.length + 1 + word.length > WIDTH) lines.push(`${indent}${word}`);
    else lines[lines.length - 1] = isFresh ? `${last}${word}` : `${last} ${word}`;
    isFresh = false;
  }
  return lines.join('\n');
}
