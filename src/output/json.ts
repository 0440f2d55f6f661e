/**
 * A value as JSON for people and programs. `##[error]` is a command to some CI servers wherever it
 * stands in a line; `\u0023` says the same to a reader of JSON.
 */
export function jsonText(data: unknown): string {
  return withoutCommands(JSON.stringify(data, undefined, 2));
}

/** The same of a text that is JSON already, or another form with the escapes of JSON. */
export function withoutCommands(json: string): string {
  return json.replaceAll(/##(?=[a-z]*\[)/g, String.raw`\u0023#`);
}
