import { describe, expect, test } from 'vitest';
import { configurationPage } from '../../../scripts/configuration.ts';
import { jsonSchema, type JsonSchema } from '../../../src/config/validate.ts';

const schema = jsonSchema();
const page = configurationPage(schema);
const rowOf = (key: string): string | undefined =>
  page.split('\n').find((line) => line.startsWith(`| \`${key}\` |`));

describe('the page about the config file', () => {
  test('has a meaning for every key', () => {
    const bare = page
      .split('\n')
      .filter((line) => line.startsWith('| `') && / \| {2}\|$/.test(line));
    expect(bare).toEqual([]);
  });

  test('says type and default of a key in a section', () => {
    expect(rowOf('transfer.concurrency')).toContain('| integer | `8` |');
  });

  test('names the choices of a key and that it is required', () => {
    expect(rowOf('nodes.NAME.role')).toContain('| `server`, `agent` | required |');
  });

  test('reaches keys inside a list', () => {
    expect(rowOf('routes[].via')).toBeDefined();
  });
});

describe('the JSON Schema for editors', () => {
  test('requires what has no default, and nothing else', () => {
    expect(schema.required).toEqual(['version', 'source', 'nodes']);
  });

  test('refuses unknown keys, but lets the user have keys that begin with x-', () => {
    const shape = schema as JsonSchema & { readonly additionalProperties: boolean };
    expect(shape.additionalProperties).toBe(false);
    expect(Object.keys(schema.patternProperties ?? {})).toEqual(['^x-']);
  });
});
