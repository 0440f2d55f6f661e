/**
 * Escapes what could steer a terminal or hide text: control characters (but tab and newline), DEL,
 * C1 and the bidirectional marks; and what could steer a CI server that reads our output. Everything
 * a node says passes through here before it is printed.
 */
export function escapeControls(text: string): string {
  const visible = text.replace(
    // oxlint-disable-next-line no-control-regex -- these are the characters to find
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return escapeWorkflowCommands(visible);
}

/**
 * `::set-output name=a::b` at the beginning of a line and `##[error]` anywhere are commands to the
 * runners of GitHub and Azure. No address of IPv6 has two `::`.
 */
export function escapeWorkflowCommands(text: string): string {
  return text
    .replaceAll(/^(\s*):(?=:.*::)/gm, String.raw`$1\u003a`)
    .replaceAll(/##(?=[a-z]*\[)/g, String.raw`\u0023#`);
}

/** The last `count` non-empty lines of a text. */
export function lastLines(text: string, count: number): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count);
}

/** Seconds for people: `0.8 s`, `41.2 s`, `1 min 22 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** `1 node`, `2 nodes`. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** The beginning of a text that is too long, and a sign that more follows. */
export function shortened(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
