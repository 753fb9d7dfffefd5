/** What one run of the bench shares between its targets. */
export interface BenchContext {
  readonly mockPort: number;
  /** Configuration, bodies and logs; removed at the end. */
  readonly folder: string;
  readonly profile: string | null;
}
