/** How much the renderer may spend. */
export type Quality = "low" | "medium" | "high";

/** Preprocessor names of the shaders. */
export type Defines = Readonly<Record<string, string>>;

/** What a quality level means; every limit of the renderer is in this table. */
export interface QualitySettings {
  /** Quads a side of one terrain tile. */
  readonly tileQuads: 16 | 32;
  /** A tile is split when it is nearer than this many times its edge. */
  readonly splitDistance: number;
  /** Tiles kept in memory, drawn or not. */
  readonly tilesMax: number;
  /** Raster tiles of the finest layer that each worker keeps; one takes 45 kB. */
  readonly rasterTilesMax: number;
  /** Device pixels per CSS pixel at most. */
  readonly pixelRatioMax: number;
  readonly antialias: boolean;
  /** Trees and rocks stand within this distance. */
  readonly treeRadiusM: number;
  /** Beyond them woods are drawn up to here, one tree for several; 0 for none. */
  readonly canopyRadiusM: number;
  /** Grass and flowers stand within this distance; 0 for none. */
  readonly grassRadiusM: number;
  /** Edge of the shadow texture in texels. */
  readonly shadowTexels: number;
  /** Shadows are drawn this far around. */
  readonly shadowRadiusM: number;
  /** Drops of rain and flakes of snow round the eye. */
  readonly dropsMax: number;
  /** What the shaders are compiled with: `FINE` for the smaller waves, grains and wisps of cloud. */
  readonly defines: Defines;
}

export const QUALITY: Readonly<Record<Quality, QualitySettings>> = {
  low: {
    tileQuads: 16,
    splitDistance: 1.5,
    tilesMax: 450,
    rasterTilesMax: 160,
    pixelRatioMax: 1,
    antialias: false,
    treeRadiusM: 130,
    canopyRadiusM: 0,
    grassRadiusM: 0,
    shadowTexels: 512,
    shadowRadiusM: 24,
    dropsMax: 700,
    defines: {},
  },
  medium: {
    tileQuads: 32,
    splitDistance: 1.35,
    tilesMax: 600,
    rasterTilesMax: 256,
    pixelRatioMax: 1.5,
    antialias: true,
    treeRadiusM: 260,
    canopyRadiusM: 700,
    grassRadiusM: 38,
    shadowTexels: 1024,
    shadowRadiusM: 45,
    dropsMax: 2200,
    defines: { FINE: "" },
  },
  high: {
    tileQuads: 32,
    splitDistance: 1.6,
    tilesMax: 900,
    rasterTilesMax: 400,
    pixelRatioMax: 2,
    antialias: true,
    treeRadiusM: 420,
    canopyRadiusM: 1500,
    grassRadiusM: 60,
    shadowTexels: 2048,
    shadowRadiusM: 70,
    dropsMax: 4200,
    defines: { FINE: "" },
  },
};

/** What is known of the device. */
export interface Device {
  /** Held in a hand: little memory, and a battery. */
  readonly isPhone: boolean;
  /** As far as the browser tells. */
  readonly memoryGb: number | undefined;
}

/** A tile takes some 70 KB: together with woods and workers this keeps a phone's page below 200 MB. */
const PHONE_TILES_MAX = 360;
const SMALL_MEMORY_GB = 4;

/** The settings of a quality on a device: a phone gets the same picture from less memory, and nothing from far. */
export function settingsFor(quality: Quality, device: Device): QualitySettings {
  const settings = QUALITY[quality];
  const isSmall = device.isPhone || (device.memoryGb ?? SMALL_MEMORY_GB * 2) <= SMALL_MEMORY_GB;
  if (!isSmall) return settings;
  return {
    ...settings,
    tilesMax: Math.min(settings.tilesMax, PHONE_TILES_MAX),
    pixelRatioMax: Math.min(settings.pixelRatioMax, 1.5),
    canopyRadiusM: Math.min(settings.canopyRadiusM, 700),
    treeRadiusM: Math.min(settings.treeRadiusM, 260),
    shadowTexels: Math.min(settings.shadowTexels, 1024),
    dropsMax: Math.min(settings.dropsMax, 2200),
  };
}
