/** The form of what the scale run writes. */

export type ScaleScenario = 'cold' | 'noop';

/** What one push came to on this side. */
export interface Alone {
  readonly seconds: number;
  /** Most memory of our own process. */
  readonly rssMB: number;
  /** Of ours and of the programs that it started, together. */
  readonly allRssMB: number;
  readonly cpuSeconds: number;
}

export interface ScaleRow extends Alone {
  readonly scenario: ScaleScenario;
  readonly nodes: number;
  readonly layerMB: number;
}

export interface ScaleResults {
  readonly rows: readonly ScaleRow[];
  readonly machine: string;
  readonly date: string;
}
