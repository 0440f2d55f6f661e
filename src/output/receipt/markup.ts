import { escapeControls } from '../../core/text.ts';

/** Text that is markup already; every other text is escaped when it is put into some. */
export interface Markup {
  readonly markup: string;
}

type Value = string | number | Markup | readonly Markup[] | undefined;

type Tag = (parts: TemplateStringsArray, ...values: readonly Value[]) => Markup;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A piece of a page. What a node says cannot become part of its markup. */
export const html: Tag = tagOf((text) =>
  escapeControls(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? ''),
);

/**
 * A line of Markdown. Whatever is no letter, digit or blank is written as an entity, which never
 * means anything in Markdown: no text can end a table cell, make a link or name a person.
 */
export const line: Tag = tagOf((text) =>
  escapeControls(text)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[^\p{L}\p{N} ]/gu, (character) => `&#${character.codePointAt(0)};`),
);

function tagOf(escape: (text: string) => string): Tag {
  return ([first = '', ...rest], ...values) => ({
    markup: rest.reduce(
      (text, part, index) => text + markupOf(values[index], escape) + part,
      first,
    ),
  });
}

function markupOf(value: Value, escape: (text: string) => string): string {
  if (value === undefined) return '';
  if (typeof value === 'string' || typeof value === 'number') return escape(String(value));
  if ('markup' in value) return value.markup;
  return value.map(({ markup }) => markup).join('');
}
