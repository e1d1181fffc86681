/** The views that `pictures.spec.ts` compares: found by `scripts/viewpoints.mjs` on the planet of that test. */
export interface PictureView {
  readonly name: string;
  readonly at: { readonly latitude_deg: number; readonly longitude_deg: number };
  readonly heightM: number;
  readonly headingDeg: number;
  readonly pitchDeg: number;
  /** Of the local day: 0 midnight, 0.25 sunrise, 0.5 noon. */
  readonly dayShare: number;
}

const view = (
  name: string,
  latitude_deg: number,
  longitude_deg: number,
  heightM: number,
  headingDeg: number,
  pitchDeg: number,
  dayShare: number,
): PictureView => ({ name, at: { latitude_deg, longitude_deg }, heightM, headingDeg, pitchDeg, dayShare });

export const VIEWS: readonly PictureView[] = [
  view("globe-day", -19.0615, 62.0136, 1_154_744, 0, -90, 0.44),
  view("globe-terminator", -19.0615, 82.0136, 1_154_744, 0, -90, 0.27),
  view("coast", -31.9396, 61.8131, 22, 287, -9, 0.38),
  view("river-valley", 39.0114, -179.5734, 90, 90, -13, 0.37),
  view("mountains", 33.8254, -149.5053, 220, 30, 1, 0.36),
  view("desert", 20.6233, -125.2407, 14, 140, -5, 0.36),
  view("ice", 78.206, -22.4301, 14, 140, -5, 0.36),
  view("night", -31.7691, 62.0136, 14, 295, 4, 0.98),
];
