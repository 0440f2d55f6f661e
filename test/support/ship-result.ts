/** The shape of `ciliumship ship -o json`, as far as tests look at it. */
export interface ShipResult {
  readonly nodes: readonly NodeResult[];
  readonly deploy: {
    readonly state: string;
    readonly revision: number;
    readonly agents: readonly {
      readonly node: string;
      readonly uid: string;
      readonly image: string;
    }[];
  };
  readonly checks: readonly {
    readonly node: string;
    readonly check: string;
    readonly state: string;
  }[];
}

export interface NodeResult {
  readonly node: string;
  readonly state: string;
  readonly bytes: number;
  readonly layers: number;
  readonly layerBytes: number;
  readonly sent: readonly {
    readonly digest: string;
    readonly size: number;
    readonly form: string;
    readonly base?: string;
    readonly bytes: number;
    readonly expectedSeconds?: number;
    readonly sentWhole?: string;
  }[];
  readonly images: readonly {
    readonly key: string;
    readonly manifest: string;
    readonly config: string;
    readonly complete: boolean;
    readonly unpacked: boolean;
    readonly pinned: string;
    readonly cri: boolean;
  }[];
  readonly error?: { readonly kind: string; readonly message: string };
}
