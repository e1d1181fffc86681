/** Dialogs over the world: a chunk of its own, as none of them is open when one arrives. */
export { default as HelpDialog } from "./HelpDialog.svelte";
export { default as LotsDialog } from "./LotsDialog.svelte";
export { default as SettingsDialog } from "./SettingsDialog.svelte";
