// As much of Preact's types as the page uses; its own expect names that a page without a build step does not have.
export type Drawn = any;
export function h(type: unknown, props: object | null, ...children: unknown[]): Drawn;
export function render(drawn: Drawn, parent: Element): void;
