/** Notices over the world: a chunk of its own, as nothing happens to a newcomer in the first seconds. */
export { Toasts as ToastList } from "../market/toasts.svelte.ts";
export { default as Toasts } from "./Toasts.svelte";
