/** How far a step has come: free text, or bytes moved of a total (both in bytes). */
export type Progress =
  | { readonly text: string }
  | { readonly bytes: number; readonly total: number };

/** What a step gets from whoever runs it. */
export interface Run {
  /** Aborted by the first Ctrl-C and by a stage's own deadline; every wait listens to it. */
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

/**
 * One thing to do for one node or image. `done` looks and never changes anything, and throws when
 * it cannot look; `run` changes the world and may be repeated.
 */
export interface Step<Out> {
  /** Stable and unique within its stage, such as `transfer/worker`. */
  readonly id: string;
  /** For people, imperative: `send 3 blobs to worker`. */
  readonly title: string;
  /**
   * What has to be there before it may begin, while other stages run beside this one: false when it
   * never will be, and then the step is left out.
   */
  readonly ready?: Promise<boolean>;
  /** A value means that nothing is left to do. */
  readonly done?: (run: Run) => Promise<Out | undefined>;
  readonly run: (run: Run) => Promise<Out>;
  /** Lines a dry run prints: each action with its exact remote command. */
  readonly plan?: () => readonly string[];
  /** One line for people about the result: `151 MB in 3.1 s`. */
  readonly describe?: (out: Out) => string;
}
