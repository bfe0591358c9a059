/** What somebody gains or loses by an edit. */
export type Difference =
  | { readonly principal: string; readonly group: string }
  | { readonly principal: string; readonly permission: string }

export interface Differences {
  readonly gained: readonly Difference[]
  readonly lost: readonly Difference[]
}

/** A difference with how much harm it can do; 100 is the whole cluster. */
export interface Weighed {
  readonly harm: number
  readonly difference: Difference
}

/** Differences without repetition, those first that can do most harm. */
export function sortByHarm(weighed: readonly Weighed[]): Difference[] {
  const unique = new Map(weighed.map((one) => [JSON.stringify(one.difference), one]))
  return [...unique]
    .sort(([left, { harm: leftHarm }], [right, { harm: rightHarm }]) =>
      leftHarm === rightHarm ? (left < right ? -1 : 1) : rightHarm - leftHarm,
    )
    .map(([, { difference }]) => difference)
}
