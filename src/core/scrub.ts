/** Words in the name of a setting whose value is nobody's business. */
const SECRET_WORD =
  'token|passw(?:or)?d|passphrase|secret|credential|private[_-]?key|api[_-]?key|key-data|psk';
/** A whole name that holds such a word; its length is bounded so that a search takes linear time. */
const SECRET_NAME = String.raw`(?<![\w.-])[\w.-]{0,64}?(?:${SECRET_WORD})[\w.-]{0,64}`;
/** A quote as it is, and as it stands inside of JSON. */
const QUOTE = String.raw`\\{0,3}["']?`;
/** `: `, `=`, and what else may stand between a name and its value. */
const SETS = String.raw`${QUOTE}\s{0,4}[:=]\s{0,4}`;
/** What says nothing secret stays, because it helps whoever reads. */
const VALUE = String.raw`(?!(?:true|false|null|nil|none)\b|[{[|>&*])(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\\+"(?:[^"\\\n]|\\(?!"))*|[^\s"',;}\]]+)`;
const HIDDEN = '[hidden]';

/** What is kept in front of a secret, and the secret. */
const PATTERNS: readonly (readonly [pattern: RegExp, kept: string])[] = [
  [
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g,
    '',
  ],
  // A bearer or a password of basic authentication, and any token of the form that JSON Web Tokens have.
  [/\b(authorization["'\\]*\s{0,4}[:=]\s{0,4}["'\\]*(?:bearer|basic|token)\s+)[^\s"'\\]+/gi, '$1'],
  [/\b(bearer\s+)[\w.~+/=-]{8,}/gi, '$1'],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, ''],
  // What joins a node to K3s, and a bootstrap token.
  [/\bK10[0-9a-f]{64}::[^\s"'\\]+/g, ''],
  [/(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])/g, ''],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:@/]{0,200}:)[^\s@/]{1,200}(?=@)/gi, '$1'],
  [/\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|npm_\w{30,}|AKIA[0-9A-Z]{16})/g, ''],
  // A variable of a container has its name beside its value.
  [
    new RegExp(
      String.raw`(\bname${SETS}${QUOTE}${SECRET_NAME}${QUOTE}\s{0,4},?\s{0,80}["'\\]{0,4}value${SETS})${VALUE}`,
      'gi',
    ),
    '$1',
  ],
  [new RegExp(`(${SECRET_NAME}${SETS})${VALUE}`, 'gi'), '$1'],
  [
    new RegExp(
      String.raw`((?<![\w-])--[\w-]{0,64}?(?:${SECRET_WORD})[\w-]{0,64}\s+)${VALUE}`,
      'gi',
    ),
    '$1',
  ],
];

/**
 * Takes out what has the form of a secret: private keys, tokens, passwords in addresses, and values
 * whose names say so. It may take out more; it is for texts that leave this machine, from programs
 * that nobody told what is secret. Its time grows with the length of the text and no faster.
 */
export function scrub(text: string): string {
  return PATTERNS.reduce(
    (scrubbed, [pattern, kept]) => scrubbed.replaceAll(pattern, `${kept}${HIDDEN}`),
    text,
  );
}

/** Whether the name of a setting says that its value is a secret. */
export function namesSecret(name: string): boolean {
  return new RegExp(SECRET_WORD, 'i').test(name);
}
