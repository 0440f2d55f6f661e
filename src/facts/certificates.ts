import { X509Certificate } from 'node:crypto';

/** A certificate that lies on a node. */
export interface Certificate {
  /** `CN=kube-apiserver`. */
  readonly subject: string;
  readonly expires: Date;
}

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Every certificate in the text of PEM files, the first to expire first. */
export function parseCertificates(text: string): readonly Certificate[] {
  const found = [...text.matchAll(PEM)].flatMap(([pem]) => read(pem) ?? []);
  return found.toSorted((a, b) => a.expires.getTime() - b.expires.getTime());
}

function read(pem: string): Certificate | undefined {
  try {
    const { subject, validTo } = new X509Certificate(pem);
    return { subject: subject.replaceAll('\n', ', '), expires: new Date(validTo) };
  } catch {
    return undefined;
  }
}
