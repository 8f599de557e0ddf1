type Ref<T> = { current: T };
type Ends = void | (() => void);

export function useEffect(effect: () => Ends, inputs?: readonly unknown[]): void;
export function useLayoutEffect(effect: () => Ends, inputs?: readonly unknown[]): void;
export function useMemo<T>(make: () => T, inputs: readonly unknown[]): T;
export function useRef<T>(first: T): Ref<T>;
export function useState<T>(first: T | (() => T)): [T, (next: T | ((now: T) => T)) => void];
