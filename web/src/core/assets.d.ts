declare module "*.wasm?url" {
  const url: string;
  export default url;
}

/** Bytes of `terrane.wasm`, put in by `vite.config.ts`. */
declare const __CORE_BYTES__: number;
