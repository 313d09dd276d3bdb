/** What a thread is asked to make. */
export interface SizesToMake {
  /** The file of the photograph. */
  readonly bytes: Uint8Array;
  /** Pixels, the widest last. A photograph that is narrower is not enlarged. */
  readonly widths: readonly number[];
}

/** The sizes, in the order of their widths; or why there can never be any. */
export type MadeSizes = { readonly sizes: readonly MadeSize[] } | { readonly problem: string };

export interface MadeSize {
  /** The width that was asked for. */
  readonly askedWidth: number;
  readonly width: number;
  readonly height: number;
  /** A WebP file. */
  readonly bytes: Uint8Array;
}
